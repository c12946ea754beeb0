// SPDX-License-Identifier: Apache-2.0
package bluezone.phone;

import android.content.BroadcastReceiver;
import android.content.Context;
import android.content.Intent;

/** The phone was started, the app was updated, or the alarm came that the service had asked for. */
public final class StartReceiver extends BroadcastReceiver {
    @Override
    public void onReceive(final Context context, Intent intent) {
        String action = intent.getAction();
        if (Awake.ALARM.equals(action)) {
            wake(context);
        } else if (Intent.ACTION_BOOT_COMPLETED.equals(action) || Intent.ACTION_MY_PACKAGE_REPLACED.equals(action)) {
            Start.now(context);
        }
    }

    /** Android's own lock ends with this call: ours keeps the processor awake until Python has looked. */
    private static void wake(final Context context) {
        if (!TracingService.running) {  // the process was killed; an exact alarm may start the service from the background
            Start.now(context);
            return;
        }
        Awake.hold(context, Awake.HANDOVER_MILLISECONDS);
        Engine.work(context, new Runnable() {
            @Override
            public void run() {
                Python.module("bluezone_phone.service").call("woken", context.getApplicationContext());
            }
        });
    }
}
