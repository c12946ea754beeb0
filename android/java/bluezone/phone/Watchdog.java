// SPDX-License-Identifier: Apache-2.0
package bluezone.phone;

import android.app.job.JobParameters;
import android.app.job.JobService;

/** Starts the service again after the phone's maker, or Android, killed it. A forced stop ends this too, until opened. */
public final class Watchdog extends JobService {
    @Override
    public boolean onStartJob(JobParameters parameters) {
        if (Start.wanted(this)) Start.now(this);
        else Start.forget(this);
        return false;
    }

    @Override
    public boolean onStopJob(JobParameters parameters) {
        return false;
    }
}
