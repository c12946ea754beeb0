// SPDX-License-Identifier: Apache-2.0
package bluezone.phone;

import android.app.job.JobInfo;
import android.app.job.JobScheduler;
import android.content.ComponentName;
import android.content.Context;
import android.content.Intent;
import android.content.pm.PackageManager;
import android.util.Log;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** Whether the service shall run, and the ways to have it run again: asked before Python is there. */
final class Start {
    private static final int WATCHDOG_JOB = 1;
    /** The shortest period that Android takes for a job. */
    private static final long PERIOD_MILLISECONDS = 15 * 60 * 1000;

    private Start() {}

    /**
     * Whether the owner agreed and gave every permission that the file names. Python wrote it (setup.py), decides
     * which they are (permissions.py), and asks once more when the service has started.
     */
    static boolean wanted(Context context) {
        File file = new File(context.getFilesDir(), "bluezone/setup.json");
        byte[] read = new byte[(int) Math.min(file.length(), 1 << 16)];
        try (FileInputStream in = new FileInputStream(file)) {
            int length = in.read(read);
            if (length <= 0) return false;
            JSONObject setup = new JSONObject(new String(read, 0, length, StandardCharsets.UTF_8));
            JSONArray needed = setup.optJSONArray("needed");
            for (int index = 0; needed != null && index < needed.length(); index++) {
                if (context.checkSelfPermission(needed.getString(index)) != PackageManager.PERMISSION_GRANTED) return false;
            }
            return setup.optBoolean("agreed");
        } catch (IOException | JSONException error) {
            return false;
        }
    }

    /** Start the service if it is wanted and does not run, and see to it that it is looked after. */
    static void now(Context context) {
        if (!wanted(context)) return;
        watch(context);
        if (TracingService.running) return;
        try {
            context.startForegroundService(new Intent(context, TracingService.class));
        } catch (IllegalStateException refused) {
            // From Android 12 on, in the background and without the exemption from battery optimisation.
            Log.w("bluezone", "Android does not let the service start: " + refused.getMessage());
            Notices.stopped(context);
        }
    }

    /** Have Android look every quarter of an hour whether the service is alive, over restarts of the phone too. */
    static void watch(Context context) {
        JobScheduler scheduler = (JobScheduler) context.getSystemService(Context.JOB_SCHEDULER_SERVICE);
        if (scheduler == null || scheduler.getPendingJob(WATCHDOG_JOB) != null) return;
        scheduler.schedule(new JobInfo.Builder(WATCHDOG_JOB, new ComponentName(context, Watchdog.class))
            .setPeriodic(PERIOD_MILLISECONDS).setPersisted(true).build());
    }

    /** The owner erased everything: nothing is started again. */
    static void forget(Context context) {
        JobScheduler scheduler = (JobScheduler) context.getSystemService(Context.JOB_SCHEDULER_SERVICE);
        if (scheduler != null) scheduler.cancel(WATCHDOG_JOB);
    }
}
