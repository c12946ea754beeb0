// SPDX-License-Identifier: Apache-2.0
package bluezone.phone;

import android.app.Service;
import android.content.Intent;
import android.content.pm.ServiceInfo;
import android.os.Build;
import android.os.IBinder;
import android.os.PowerManager;
import android.util.Log;

/**
 * The foreground service. It is in the foreground before Python is even loaded, and it never waits for Python on the
 * main thread: starting and ending are work for the engine's thread, in the order in which Android asked for them.
 */
public final class TracingService extends Service {
    /** Whether one lives in this process; read by whoever would start it. */
    static volatile boolean running;
    private PowerManager.WakeLock lock;

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
        Start.watch(this);
        Engine.work(this, new Runnable() {
            @Override
            public void run() {
                Python.module("bluezone_phone.service").call("started", TracingService.this);
            }
        });
        return START_STICKY;
    }

    private int refuse() {
        Notices.stopped(this);
        stopSelf();
        return START_NOT_STICKY;
    }

    /** Rotation and scan bursts are timed by the processor, and an old identifier would stand while it sleeps. */
    public synchronized void stayAwake() {
        if (lock != null) return;
        PowerManager power = (PowerManager) getSystemService(POWER_SERVICE);
        lock = power.newWakeLock(PowerManager.PARTIAL_WAKE_LOCK, "bluezone:tracing");
        lock.acquire();
    }

    private synchronized void letSleep() {
        if (lock != null && lock.isHeld()) lock.release();
        lock = null;
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
                    letSleep();
                }
            }
        });
    }

    @Override
    public IBinder onBind(Intent intent) {
        return null;
    }
}
