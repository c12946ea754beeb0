// SPDX-License-Identifier: Apache-2.0
package bluezone.phone;

import android.app.Notification;
import android.app.NotificationChannel;
import android.app.NotificationManager;
import android.app.PendingIntent;
import android.content.Context;
import android.content.Intent;

/** The two notices that are shown before Python is there, or without it; Python's own take the same places. */
final class Notices {
    /** As bluezone_phone.androiddevice names them. */
    static final String RUNNING_CHANNEL = "running", NEWS_CHANNEL = "news";
    static final int RUNNING_ID = 1, NEWS_ID = 2;

    private Notices() {}

    /** "Bluezone is being opened", for the service's first moment. */
    static Notification opening(Context context) {
        channel(context, RUNNING_CHANNEL, R.string.bluezone_channel_running, NotificationManager.IMPORTANCE_LOW);
        return built(context, RUNNING_CHANNEL, R.string.bluezone_name, R.string.bluezone_opening).setOngoing(true).build();
    }

    /** "Bluezone is stopping. Open it", where the service may not run. */
    static void stopped(Context context) {
        channel(context, NEWS_CHANNEL, R.string.bluezone_channel_news, NotificationManager.IMPORTANCE_HIGH);
        Notification notice = built(context, NEWS_CHANNEL, R.string.bluezone_stopped, R.string.bluezone_stopped_text)
            .setAutoCancel(true).build();
        manager(context).notify(NEWS_ID, notice);
    }

    private static void channel(Context context, String name, int words, int importance) {
        if (manager(context).getNotificationChannel(name) != null) return;
        NotificationChannel made = new NotificationChannel(name, context.getString(words), importance);
        made.setLockscreenVisibility(Notification.VISIBILITY_PUBLIC);
        manager(context).createNotificationChannel(made);
    }

    private static Notification.Builder built(Context context, String channel, int title, int text) {
        Intent opening = new Intent(context, MainActivity.class);
        return new Notification.Builder(context, channel)
            .setContentTitle(context.getString(title)).setContentText(context.getString(text))
            .setSmallIcon(R.drawable.bluezone_notice).setVisibility(Notification.VISIBILITY_PUBLIC).setOnlyAlertOnce(true)
            .setContentIntent(PendingIntent.getActivity(context, 0, opening, PendingIntent.FLAG_IMMUTABLE));
    }

    private static NotificationManager manager(Context context) {
        return (NotificationManager) context.getSystemService(Context.NOTIFICATION_SERVICE);
    }
}
