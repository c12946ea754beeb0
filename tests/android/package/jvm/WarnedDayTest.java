// SPDX-License-Identifier: Apache-2.0
package bluezone.phone;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.app.AlarmManager;
import android.app.Application;
import android.bluetooth.BluetoothAdapter;
import android.bluetooth.le.BluetoothLeScanner;
import android.content.Context;
import android.content.Intent;
import android.os.PowerManager;
import android.os.SystemClock;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.Security;
import java.time.Duration;
import java.util.Base64;
import java.util.stream.Stream;
import javax.crypto.spec.SecretKeySpec;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.android.controller.ServiceController;
import org.robolectric.annotation.Config;
import org.robolectric.shadows.ShadowAlarmManager;
import org.robolectric.shadows.ShadowSystemClock;
import org.robolectric.util.ReflectionHelpers;

/**
 * A phone that meets a patient, is killed, and is warned: in two processes, of which the first ends by SIGKILL. The
 * property `bluezone.part` says which this is; `bluezone.kept` is a folder for what outlives the first.
 */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 35, qualifiers = "vi", shadows = AdvertiserDouble.class)
public class WarnedDayTest {
    private static final int BURSTS = 26;
    private final Path kept = Paths.get(System.getProperty("bluezone.kept"));
    private Application application;
    private BluetoothLeScanner scanner;
    private long longest, longestProcessor;
    private String longestWork = "";

    @Before
    public void aPhoneThatIsAllowedEverything() throws Exception {
        application = RuntimeEnvironment.getApplication();
        TracingService.running = false;
        Security.addProvider(new KeyStoreDouble());
        ShadowAlarmManager.setCanScheduleExactAlarms(true);
        shadowOf(application).grantPermissions(FirstDayTest.NEARBY);
        BluetoothAdapter adapter = BluetoothAdapter.getDefaultAdapter();
        shadowOf(adapter).setState(BluetoothAdapter.STATE_ON);
        shadowOf(adapter).setIsMultipleAdvertisementSupported(true);
        scanner = adapter.getBluetoothLeScanner();
    }

    @After
    public void say() {
        System.out.println("longest work on the main thread, ms: " + longest / 1_000_000 + " (" + longestWork
            + "), of processor time: " + longestProcessor / 1_000_000);
    }

    private interface Work {
        void run() throws Exception;
    }

    /** Something that Android does on the main thread, timed. */
    private void onMain(String what, Work work) throws Exception {
        java.lang.management.ThreadMXBean threads = java.lang.management.ManagementFactory.getThreadMXBean();
        long begun = System.nanoTime(), before = threads.getCurrentThreadCpuTime();
        work.run();
        longestProcessor = Math.max(longestProcessor, threads.getCurrentThreadCpuTime() - before);
        long took = System.nanoTime() - begun;
        if (took <= longest) return;
        longest = took;
        longestWork = what;
    }

    private Object driver(String name, Object... given) {
        Object[] all = new Object[given.length + 1];
        all[0] = application;
        System.arraycopy(given, 0, all, 1, given.length);
        return Python.module("driver").call(name, all);
    }

    private void started() throws Exception {
        FirstDayTest.python(application);
        driver("live_in_city", System.getProperty("bluezone.city"), System.getProperty("bluezone.trust"));
        ServiceController<TracingService> service = Robolectric.buildService(TracingService.class).create();
        onMain("start", () -> service.startCommand(0, 1));
        FirstDayTest.becomes("the page is there", FirstDayTest.told(application, "url", "something"));
        FirstDayTest.becomes("the city's list was fetched", FirstDayTest.told(application, "checked", true));
    }

    private void alarm() throws Exception {
        onMain("alarm", () -> new StartReceiver().onReceive(application, new Intent(Awake.ALARM)));
    }

    private void passBy(long milliseconds) {
        ShadowSystemClock.advanceBy(Duration.ofMillis(milliseconds));
        driver("pass_by", milliseconds / 1000.0);
    }

    private boolean scans() {
        return !shadowOf(scanner).getScanCallbacks().isEmpty();
    }

    /** The alarm of the next burst, after that of a rotation if that comes first. */
    private void nextBurst() throws Exception {
        for (int alarms = 0; alarms < 3 && !scans(); alarms++) {
            AlarmManager manager = (AlarmManager) application.getSystemService(Context.ALARM_SERVICE);
            ShadowAlarmManager.ScheduledAlarm next = shadowOf(manager).peekNextScheduledAlarm();
            assertEquals(AlarmManager.ELAPSED_REALTIME_WAKEUP, next.getType());
            assertTrue(next.isAllowWhileIdle());
            assertEquals("exact", ShadowAlarmManager.WINDOW_EXACT, next.getWindowLengthMs());
            passBy(Math.max(1, next.getTriggerAtMs() - SystemClock.elapsedRealtime()));
            alarm();
            FirstDayTest.becomes("it listens, or sleeps again until the burst", () -> {
                ShadowAlarmManager.ScheduledAlarm after = shadowOf(manager).peekNextScheduledAlarm();
                return scans() || after.getTriggerAtMs() > SystemClock.elapsedRealtime() + 1000;
            });
        }
        FirstDayTest.becomes("it listens", this::scans);
    }

    private void burst() throws Exception {
        PowerManager.WakeLock lock = ReflectionHelpers.getStaticField(Awake.class, "lock");
        assertTrue("awake while it listens", lock.isHeld());
        byte[] frame = (byte[]) driver("patients_frame");
        for (int packet = 0; packet < 3; packet++) onMain("hear", () -> FirstDayTest.hear(scanner, frame));
        passBy(4_200);
        alarm();  // Python's own wait is real seconds: it is told to look at the clock
        FirstDayTest.becomes("it sleeps again", () -> !scans() && !lock.isHeld());
    }

    @Test
    public void aDayInTwoProcesses() throws Exception {
        if (System.getProperty("bluezone.part").equals("before")) before();
        else after();
    }

    private void before() throws Exception {
        started();
        FirstDayTest.becomes("it listens", this::scans);
        burst();
        for (int next = 1; next < BURSTS; next++) {
            nextBurst();
            burst();
        }
        double awake = ((Number) driver("awake_seconds")).doubleValue();
        assertTrue("awake for " + awake, awake < BURSTS * 8.0);  // of 70 s each
        byte[] key = KeyStoreDouble.keys.get("bluezone.handset.key").getEncoded();
        Files.write(kept.resolve("key"), Base64.getEncoder().encode(key));
        Files.write(kept.resolve("elapsed"), Long.toString(SystemClock.elapsedRealtime()).getBytes(StandardCharsets.US_ASCII));
        copy(application.getFilesDir().toPath(), kept.resolve("files"));  // as they lie on the disk in this instant
        say();
        driver("die");
    }

    private void after() throws Exception {
        copy(kept.resolve("files"), application.getFilesDir().toPath());
        byte[] key = Base64.getDecoder().decode(Files.readAllBytes(kept.resolve("key")));
        KeyStoreDouble.keys.put("bluezone.handset.key", new SecretKeySpec(key, "AES"));
        long elapsed = Long.parseLong(new String(Files.readAllBytes(kept.resolve("elapsed")), StandardCharsets.US_ASCII));
        ShadowSystemClock.advanceBy(Duration.ofMillis(elapsed).plusHours(26));

        alarm();
        assertNotNull("the alarm of the service that was killed starts it again", shadowOf(application).getNextStartedService());
        onMain("boot", () -> new StartReceiver().onReceive(application, new Intent(Intent.ACTION_BOOT_COMPLETED)));
        assertNotNull("so does the start of the phone", shadowOf(application).getNextStartedService());
        started();
        assertTrue("its owner is told how to keep it alive", (Boolean) driver("killed"));
        FirstDayTest.becomes("it is warned", FirstDayTest.told(application, "level", "high"));
        FirstDayTest.becomes("the lock screen says that there is news", () -> {
            ShadowSystemClock.advanceBy(Duration.ofSeconds(15));
            alarm();
            return FirstDayTest.title(application, Notices.NEWS_ID).equals("Bluezone");
        });
        driver("report");
        FirstDayTest.becomes("its keys were sent", () -> {
            ShadowSystemClock.advanceBy(Duration.ofSeconds(15));
            alarm();
            return Boolean.TRUE.equals(driver("reported"));
        });
        driver("erase");
        FirstDayTest.becomes("nothing is agreed to", FirstDayTest.told(application, "agreed", false));
        FirstDayTest.becomes("it has ended", FirstDayTest.told(application, "running", false));
        AlarmManager manager = (AlarmManager) application.getSystemService(Context.ALARM_SERVICE);
        assertTrue("nothing wakes the phone any more", shadowOf(manager).getScheduledAlarms().isEmpty());
        PowerManager.WakeLock lock = ReflectionHelpers.getStaticField(Awake.class, "lock");
        assertFalse(lock.isHeld());
        assertTrue(KeyStoreDouble.keys.isEmpty());
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path one : (Iterable<Path>) all::iterator) {
                Path there = to.resolve(from.relativize(one).toString());
                if (Files.isDirectory(one)) Files.createDirectories(there);
                else Files.copy(one, there, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }
}
