// SPDX-License-Identifier: Apache-2.0
package bluezone.phone;

import android.app.AlarmManager;
import android.app.PendingIntent;
import android.content.Context;
import android.content.Intent;
import android.os.Build;
import android.os.PowerManager;

/** The one wake lock and the one alarm of the app; bluezone.handset.android.power says what for, and counts. */
public final class Awake {
    /** To the receiver: the alarm has come. */
    static final String ALARM = "bluezone.phone.ALARM";
    /** Until Python, which is there already, takes over. */
    static final long HANDOVER_MILLISECONDS = 5_000;
    /** For the service's start, which brings Python up; at the first start of a build that takes a while. */
    static final long START_MILLISECONDS = 60_000;
    private static PowerManager.WakeLock lock;

    private Awake() {}

    /** Keep the processor awake for so long from now, instead of what was asked for before. */
    public static synchronized void hold(Context context, long milliseconds) {
        if (lock == null) {
            PowerManager power = (PowerManager) context.getSystemService(Context.POWER_SERVICE);
            lock = power.newWakeLock(PowerManager.PARTIAL_WAKE_LOCK, "bluezone:tracing");
            lock.setReferenceCounted(false);
        }
        lock.acquire(milliseconds);
    }

    /** Let it sleep. */
    public static synchronized void release() {
        if (lock != null && lock.isHeld()) lock.release();
    }

    /**
     * Wake it at this moment of the boot clock, in place of the alarm before. Exact without a permission of its own for
     * an app that battery optimisation leaves alone; for any other some minutes late, and rarer while the phone dozes.
     */
    public static void wakeAt(Context context, long milliseconds) {
        AlarmManager alarms = (AlarmManager) context.getSystemService(Context.ALARM_SERVICE);
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.S || alarms.canScheduleExactAlarms()) {
            alarms.setExactAndAllowWhileIdle(AlarmManager.ELAPSED_REALTIME_WAKEUP, milliseconds, operation(context));
        } else {
            alarms.setAndAllowWhileIdle(AlarmManager.ELAPSED_REALTIME_WAKEUP, milliseconds, operation(context));
        }
    }

    /** Let it sleep, and wake it no more. */
    public static void forget(Context context) {
        ((AlarmManager) context.getSystemService(Context.ALARM_SERVICE)).cancel(operation(context));
        release();
    }

    private static PendingIntent operation(Context context) {
        Intent intent = new Intent(ALARM).setClass(context, StartReceiver.class);
        return PendingIntent.getBroadcast(context, 0, intent, PendingIntent.FLAG_IMMUTABLE | PendingIntent.FLAG_UPDATE_CURRENT);
    }
}
