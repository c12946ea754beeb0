// SPDX-License-Identifier: Apache-2.0
package bluezone.phone;

import android.app.Service;
import android.content.Context;
import android.content.Intent;
import android.content.pm.ServiceInfo;
import android.os.Build;
import android.os.IBinder;
import android.util.Log;

/**
 * The foreground service. It is in the foreground before Python is even loaded, and it never waits for Python on the
 * main thread: starting and ending are work for the engine's thread, in the order in which Android asked for them.
 */
public final class TracingService extends Service {
    /** Whether one lives in this process; read by whoever would start it. */
    static volatile boolean running;

    @Override
    public int onStartCommand(Intent intent, int flags, int startId) {
        try {
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) {
                startForeground(Notices.RUNNING_ID, Notices.opening(this), ServiceInfo.FOREGROUND_SERVICE_TYPE_CONNECTED_DEVICE);
            } else {
                startForeground(Notices.RUNNING_ID, Notices.opening(this));
            }
        } catch (RuntimeException refused) {  // a permission was withdrawn, or Android allows no start from the background
            Log.w("bluezone", "not in the foreground: " + refused.getMessage());
            return refuse();
        }
        if (!Start.wanted(this)) return refuse();
        running = true;
        Awake.hold(this, Awake.START_MILLISECONDS);
        Start.watch(this);
        Engine.work(this, new Runnable() {
            @Override
            public void run() {
                try {
                    Python.module("bluezone_phone.service").call("started", TracingService.this);
                } catch (RuntimeException error) {
                    Log.e("bluezone", "the service does not start", error);
                    tryAgainLater(TracingService.this);
                }
            }
        });
        return START_STICKY;
    }

    /** It does not trace, and the notice says so; the watchdog finds it not running, and starts it. */
    static void tryAgainLater(Context context) {
        running = false;
        Notices.stopped(context);
    }

    private int refuse() {
        Notices.stopped(this);
        stopSelf();
        return START_NOT_STICKY;
    }

    @Override
    public void onDestroy() {
        if (!running) return;
        running = false;
        Engine.work(this, new Runnable() {
            @Override
            public void run() {
                try {
                    Python.module("bluezone_phone.service").call("ended", TracingService.this);
                } finally {
                    Awake.forget(TracingService.this);
                }
            }
        });
    }

    @Override
    public IBinder onBind(Intent intent) {
        return null;
    }
}
