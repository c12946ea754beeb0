// SPDX-License-Identifier: Apache-2.0
package bluezone.phone;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.Manifest;
import android.app.Application;
import android.app.Notification;
import android.app.NotificationManager;
import android.app.job.JobScheduler;
import android.bluetooth.BluetoothAdapter;
import android.bluetooth.BluetoothDevice;
import android.bluetooth.le.BluetoothLeScanner;
import android.bluetooth.le.ScanCallback;
import android.bluetooth.le.ScanRecord;
import android.bluetooth.le.ScanResult;
import android.content.Context;
import android.content.Intent;
import android.net.Uri;
import android.os.Looper;
import android.os.SystemClock;
import android.speech.tts.TextToSpeech;
import android.speech.tts.Voice;
import android.webkit.WebResourceRequest;
import android.webkit.WebView;
import android.webkit.WebViewClient;
import android.widget.FrameLayout;
import java.security.Security;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import org.junit.Before;
import org.junit.FixMethodOrder;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.MethodSorters;
import org.robolectric.Robolectric;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.android.controller.ActivityController;
import org.robolectric.android.controller.ServiceController;
import org.robolectric.annotation.Config;
import org.robolectric.shadows.ShadowTextToSpeech;
import org.robolectric.util.ReflectionHelpers;
import org.robolectric.util.ReflectionHelpers.ClassParameter;

/**
 * The app's Java and Python in one process on Android's own classes (API 35, Robolectric). What is real and what is
 * a shadow: docs/android.md. Python lives once in a process, so the tests run in the order of their names.
 */
@RunWith(RobolectricTestRunner.class)
@FixMethodOrder(MethodSorters.NAME_ASCENDING)
@Config(sdk = 35, qualifiers = "vi")
public class FirstDayTest {
    private static final String DATA = "data:text/html;charset=utf-8;base64,";
    static final String[] NEARBY = {
        Manifest.permission.BLUETOOTH_SCAN, Manifest.permission.BLUETOOTH_ADVERTISE, Manifest.permission.BLUETOOTH_CONNECT,
    };
    private static final int LOOKS = 6000;
    private Application application;

    @Before
    public void newPhone() {
        application = RuntimeEnvironment.getApplication();
        TracingService.running = false;
    }

    private void python() throws Exception {
        python(application);
    }

    /** Wait for Python, and let it find the driver. */
    static void python(Application application) throws Exception {
        final CountDownLatch found = new CountDownLatch(1);
        Engine.work(application, new Runnable() {
            @Override
            public void run() {
                for (String folder : System.getProperty("bluezone.python").split(":")) {
                    Python.module("site").call("addsitedir", folder);
                }
                found.countDown();
            }
        });
        found.await();
    }

    /** Let the main thread do its work until something holds; bounded by looks, not judged by time. */
    static void becomes(String what, Callable<Boolean> holds) throws Exception {
        for (int look = 0; look < LOOKS; look++) {
            shadowOf(Looper.getMainLooper()).idleFor(Duration.ofMillis(20));  // Android's clock goes on by this much
            if (holds.call()) return;
            Thread.sleep(10);
        }
        throw new AssertionError("it did not come to be: " + what);
    }

    private static WebView viewOf(MainActivity activity) {
        return (WebView) ((FrameLayout) ((android.view.ViewGroup) activity.findViewById(android.R.id.content)).getChildAt(0)).getChildAt(0);
    }

    private static String shown(MainActivity activity) {
        org.robolectric.shadows.ShadowWebView.LoadDataWithBaseURL loaded = shadowOf(viewOf(activity)).getLastLoadDataWithBaseURL();
        return loaded == null ? "" : loaded.data;
    }

    private static ActivityController<MainActivity> opened(final String expected) throws Exception {
        final ActivityController<MainActivity> controller = Robolectric.buildActivity(MainActivity.class).setup();
        becomes(expected, new Callable<Boolean>() {
            @Override
            public Boolean call() {
                return shown(controller.get()).contains(expected);
            }
        });
        return controller;
    }

    private static WebResourceRequest request(final String address) {
        return new WebResourceRequest() {
            @Override public Uri getUrl() { return Uri.parse(address); }
            @Override public boolean isForMainFrame() { return true; }
            @Override public boolean isRedirect() { return false; }
            @Override public boolean hasGesture() { return true; }
            @Override public String getMethod() { return "GET"; }
            @Override public Map<String, String> getRequestHeaders() { return Collections.emptyMap(); }
        };
    }

    private static void press(MainActivity activity, String button) {
        WebView view = viewOf(activity);
        assertTrue(shadowOf(view).getWebViewClient().shouldOverrideUrlLoading(view, request("bluezone:" + button)));
        shadowOf(Looper.getMainLooper()).idle();
    }

    /** Python's setup of this process, which outlives the tests' phones. */
    private static void answer(Context context, String name, boolean value) {
        Python.module("driver").call("answer", context, name, value);
    }

    @Test
    public void a_theServiceIsInTheForegroundWhilePythonIsNotThereYet() throws Exception {
        final CountDownLatch held = new CountDownLatch(1);
        shadowOf(application).grantPermissions(NEARBY);
        java.io.File folder = new java.io.File(application.getFilesDir(), "bluezone");
        assertTrue(folder.mkdirs());
        java.nio.file.Files.write(new java.io.File(folder, "setup.json").toPath(), "{\"agreed\": true}".getBytes("UTF-8"));
        // Python as slow as can be: it is not even begun.
        ExecutorService worker = ReflectionHelpers.getStaticField(Engine.class, "worker");
        worker.execute(new Runnable() {
            @Override
            public void run() {
                try {
                    held.await();
                } catch (InterruptedException stopped) {
                    Thread.currentThread().interrupt();
                }
            }
        });
        ServiceController<TracingService> controller = Robolectric.buildService(TracingService.class).create();
        java.lang.management.ThreadMXBean threads = java.lang.management.ManagementFactory.getThreadMXBean();
        long begun = System.nanoTime(), before = threads.getCurrentThreadCpuTime();
        controller.startCommand(0, 1);
        System.out.println("in the foreground, with Python held, after ms: " + (System.nanoTime() - begun) / 1_000_000
            + ", of processor time: " + (threads.getCurrentThreadCpuTime() - before) / 1_000_000);

        Notification notice = shadowOf(controller.get()).getLastForegroundNotification();
        assertEquals("Đang mở Bluezone…", notice.extras.getString(Notification.EXTRA_TEXT));
        assertTrue(TracingService.running);
        JobScheduler scheduler = (JobScheduler) application.getSystemService(Context.JOB_SCHEDULER_SERVICE);
        assertTrue(scheduler.getAllPendingJobs().get(0).isPersisted());
        new StartReceiver().onReceive(application, new Intent(Awake.ALARM));
        Robolectric.buildService(Watchdog.class).create().get().onStartJob(null);
        controller.destroy();  // all this comes back although Python's thread is held: the main thread waits for nothing
        assertFalse(TracingService.running);
        held.countDown();
    }

    @Test
    public void b_theFirstScreenIsDrawnAndNothingElseMayBeLoaded() throws Exception {
        python();
        MainActivity waiting = Robolectric.buildActivity(MainActivity.class).setup().get();
        assertTrue(shadowOf(viewOf(waiting)).getLastLoadData().data.contains("Đang mở Bluezone"));
        android.view.View frame = (android.view.View) viewOf(waiting).getParent();
        frame.dispatchApplyWindowInsets(new android.view.WindowInsets.Builder()
            .setInsets(android.view.WindowInsets.Type.systemBars(), android.graphics.Insets.of(0, 80, 0, 120)).build());
        assertEquals("nothing lies under the bars of the system", 80, frame.getPaddingTop());
        assertEquals(120, frame.getPaddingBottom());
        waiting.finish();
        ActivityController<MainActivity> window = opened("bluezone:");
        answer(application, "agreed", false);
        window.pause().resume();
        assertTrue(shown(window.get()).contains("Đồng ý và bắt đầu"));
        WebView view = viewOf(window.get());
        WebViewClient client = shadowOf(view).getWebViewClient();
        assertNull(client.shouldInterceptRequest(view, request(DATA)));
        assertNotNull(client.shouldInterceptRequest(view, request("https://evil.example/")));
        assertTrue(client.shouldOverrideUrlLoading(view, request("https://evil.example/")));
        assertFalse(view.getSettings().getAllowFileAccess());
        window.destroy();
    }

    @Test
    public void c_agreeingLeadsToOneQuestionAndThenToTheService() throws Exception {
        python();
        ActivityController<MainActivity> window = opened("Đồng ý và bắt đầu");
        press(window.get(), "next");
        assertTrue(shown(window.get()).contains("Cho phép tìm máy ở gần"));
        assertNull(shadowOf(application).getNextStartedService());
        press(window.get(), "allow");
        assertEquals(Arrays.asList(NEARBY), Arrays.asList(shadowOf(window.get()).getLastRequestedPermission().requestedPermissions));
        shadowOf(application).grantPermissions(NEARBY);
        window.pause().resume();
        Intent started = shadowOf(application).getNextStartedService();
        assertEquals("bluezone.phone.TracingService", started.getComponent().getClassName());
        window.destroy();
    }

    @Test
    public void d_theWindowThatIsSeenGoesOnChangingAfterAnotherWentAway() throws Exception {
        python();
        final ActivityController<MainActivity> first = opened("bluezone:");
        ActivityController<MainActivity> second = opened("bluezone:");
        second.pause();
        first.resume();
        second.destroy();  // Android ends a window that is gone from sight whenever it likes
        final String before = shown(first.get());
        answer(application, "english", true);
        Python.module("driver").call("change", application);
        becomes("the window changes", new Callable<Boolean>() {
            @Override
            public Boolean call() {
                return !shown(first.get()).equals(before);
            }
        });
        answer(application, "english", false);
        first.destroy();
    }

    @Test
    public void e_theStartOfThePhoneAndTheWatchdogStartTheServiceOnlyWhereItIsWanted() throws Exception {
        new StartReceiver().onReceive(application, new Intent(Intent.ACTION_BOOT_COMPLETED));
        assertNull(shadowOf(application).getNextStartedService());
        java.io.File folder = new java.io.File(application.getFilesDir(), "bluezone");
        folder.mkdirs();
        java.nio.file.Files.write(new java.io.File(folder, "setup.json").toPath(),
            ("{\"agreed\": true, \"needed\": [\"" + String.join("\", \"", NEARBY) + "\"]}").getBytes("UTF-8"));
        new StartReceiver().onReceive(application, new Intent(Intent.ACTION_MY_PACKAGE_REPLACED));
        assertNull("not allowed yet", shadowOf(application).getNextStartedService());
        shadowOf(application).grantPermissions(NEARBY);
        new StartReceiver().onReceive(application, new Intent("vn.example.OTHER"));
        assertNull(shadowOf(application).getNextStartedService());
        new StartReceiver().onReceive(application, new Intent(Intent.ACTION_BOOT_COMPLETED));
        assertNotNull(shadowOf(application).getNextStartedService());

        Watchdog watchdog = Robolectric.buildService(Watchdog.class).create().get();
        assertFalse(watchdog.onStartJob(null));
        assertNotNull(shadowOf(application).getNextStartedService());
        new StartReceiver().onReceive(application, new Intent(Awake.ALARM));
        assertNotNull("the alarm finds it killed", shadowOf(application).getNextStartedService());
        TracingService.running = true;
        watchdog.onStartJob(null);
        assertNull("it lives", shadowOf(application).getNextStartedService());
    }

    @Test
    public void f_aServiceWithoutItsPermissionSaysSoAndEnds() throws Exception {
        ServiceController<TracingService> controller = Robolectric.buildService(TracingService.class).create();
        assertEquals(android.app.Service.START_NOT_STICKY, controller.get().onStartCommand(null, 0, 1));
        assertTrue(shadowOf(controller.get()).isStoppedBySelf());
        NotificationManager manager = (NotificationManager) application.getSystemService(Context.NOTIFICATION_SERVICE);
        Notification notice = shadowOf(manager).getNotification(Notices.NEWS_ID);
        assertEquals("Bluezone đang dừng", notice.extras.getString(Notification.EXTRA_TITLE));
        assertEquals(Notification.VISIBILITY_PUBLIC, notice.visibility);
    }

    static Callable<Boolean> told(final Context context, final String what, final Object expected) {
        return new Callable<Boolean>() {
            @Override
            public Boolean call() {
                Object said = Python.module("driver").call(what, context);
                return expected == null ? said == null : expected.equals("something") ? said != null : expected.equals(said);
            }
        };
    }

    private String runningNotice() {
        return title(application, Notices.RUNNING_ID);
    }

    static String title(Application application, int notice_id) {
        NotificationManager manager = (NotificationManager) application.getSystemService(Context.NOTIFICATION_SERVICE);
        Notification notice = shadowOf(manager).getNotification(notice_id);
        return notice == null ? "" : notice.extras.getString(Notification.EXTRA_TITLE);
    }

    private static void hear(BluetoothLeScanner scanner) {
        hear(scanner, (byte[]) Python.module("driver").call("neighbour"));
    }

    static void hear(BluetoothLeScanner scanner, byte[] frame) {
        ScanRecord record = ReflectionHelpers.callStaticMethod(
            ScanRecord.class, "parseFromBytes", ClassParameter.from(byte[].class, frame));
        BluetoothDevice device = BluetoothAdapter.getDefaultAdapter().getRemoteDevice("5A:11:22:33:44:55");
        for (ScanCallback callback : shadowOf(scanner).getScanCallbacks()) {
            callback.onScanResult(1, new ScanResult(device, record, -60, SystemClock.elapsedRealtimeNanos()));
        }
    }

    @Test
    @Config(shadows = AdvertiserDouble.class)
    public void g_theServiceSendsHearsServesItsPageLosesBluetoothAndEnds() throws Exception {
        python();
        Security.addProvider(new KeyStoreDouble());
        shadowOf(application).grantPermissions(NEARBY);
        final BluetoothAdapter adapter = BluetoothAdapter.getDefaultAdapter();
        shadowOf(adapter).setState(BluetoothAdapter.STATE_ON);
        shadowOf(adapter).setIsMultipleAdvertisementSupported(true);
        final BluetoothLeScanner scanner = adapter.getBluetoothLeScanner();
        Python.module("driver").call("begin_day", application);
        ServiceController<TracingService> service = Robolectric.buildService(TracingService.class).create();
        service.startCommand(0, 1);
        becomes("the page is there", told(application, "url", "something"));
        assertEquals("libcrypto, native", Python.module("driver").call("engine"));
        assertNull(Python.module("driver").call("problem", application));
        assertTrue(KeyStoreDouble.keys.containsKey("bluezone.handset.key"));

        final ActivityController<MainActivity> window = Robolectric.buildActivity(MainActivity.class).setup();
        final WebView view = viewOf(window.get());
        becomes("the page is shown", new Callable<Boolean>() {
            @Override
            public Boolean call() {
                return String.valueOf(shadowOf(view).getLastLoadedUrl()).startsWith("http://127.0.0.1:");
            }
        });
        WebViewClient client = shadowOf(view).getWebViewClient();
        assertNull(client.shouldInterceptRequest(view, request(shadowOf(view).getLastLoadedUrl())));
        assertNotNull("the page itself may have no data: address", client.shouldInterceptRequest(view, request(DATA)));

        String page = shadowOf(view).getLastLoadedUrl();
        shadowOf(view).pushEntryToHistory("about:blank");  // a screen of the app's own, from before
        shadowOf(view).pushEntryToHistory(page);
        window.get().onBackPressed();
        assertEquals("behind the page is a screen that is over", 0, shadowOf(view).getGoBackInvocations());
        shadowOf(view).pushEntryToHistory(page + "#/more");
        window.get().onBackPressed();
        assertEquals(1, shadowOf(view).getGoBackInvocations());

        becomes("it sends", new Callable<Boolean>() {
            @Override
            public Boolean call() {
                return !AdvertiserDouble.sending.isEmpty();
            }
        });
        assertEquals(20, AdvertiserDouble.last.getServiceData().values().iterator().next().length);
        becomes("it hears, and says so", new Callable<Boolean>() {
            @Override
            public Boolean call() {
                hear(scanner);
                return runningNotice().equals("Bluezone đang chạy");
            }
        });

        shadowOf(adapter).setState(BluetoothAdapter.STATE_OFF);
        application.sendBroadcast(new Intent(BluetoothAdapter.ACTION_STATE_CHANGED)
            .putExtra(BluetoothAdapter.EXTRA_STATE, BluetoothAdapter.STATE_OFF));
        shadowOf(Looper.getMainLooper()).idle();
        AdvertiserDouble.sending.clear();
        shadowOf(adapter).setState(BluetoothAdapter.STATE_ON);
        becomes("it sends again by itself", new Callable<Boolean>() {
            @Override
            public Boolean call() {
                new StartReceiver().onReceive(application, new Intent(Awake.ALARM));  // it notices when it is next awake
                return !AdvertiserDouble.sending.isEmpty();
            }
        });

        service.destroy();
        becomes("it has ended", told(application, "running", false));
        assertNull(Python.module("driver").call("url", application));
        assertTrue(AdvertiserDouble.sending.isEmpty());
        window.destroy();
    }

    @Test
    @Config(shadows = AdvertiserDouble.class)
    public void h_erasingEverythingDestroysTheKeyEndsTheServiceAndNothingStartsItAgain() throws Exception {
        python();
        Security.addProvider(new KeyStoreDouble());
        shadowOf(application).grantPermissions(NEARBY);
        shadowOf(BluetoothAdapter.getDefaultAdapter()).setState(BluetoothAdapter.STATE_ON);
        Python.module("driver").call("begin_day", application);
        ServiceController<TracingService> service = Robolectric.buildService(TracingService.class).create();
        service.startCommand(0, 1);
        becomes("the page is there", told(application, "url", "something"));
        assertFalse("a phone that was opened has its key", KeyStoreDouble.keys.isEmpty());

        thePageIsReadAloud();

        Python.module("driver").call("erase", application);
        becomes("nothing is agreed to", told(application, "agreed", false));
        becomes("it has ended", told(application, "running", false));
        assertTrue(KeyStoreDouble.keys.isEmpty());
        assertEquals("bluezone.phone.TracingService", shadowOf(application).getNextStoppedService().getComponent().getClassName());
        assertEquals("", runningNotice());
        service.destroy();
        new StartReceiver().onReceive(application, new Intent(Intent.ACTION_BOOT_COMPLETED));
        assertNull(shadowOf(application).getNextStartedService());
        Watchdog watchdog = Robolectric.buildService(Watchdog.class).create().get();
        watchdog.onStartJob(null);
        JobScheduler scheduler = (JobScheduler) application.getSystemService(Context.JOB_SCHEDULER_SERVICE);
        assertTrue("the watchdog leaves with it", scheduler.getAllPendingJobs().isEmpty());
    }

    /** The text-to-speech that is asked for next. */
    private static ShadowTextToSpeech speaker() throws Exception {
        becomes("something that speaks is asked for", () -> ShadowTextToSpeech.getLastTextToSpeechInstance() != null);
        ShadowTextToSpeech made = shadowOf(ShadowTextToSpeech.getLastTextToSpeechInstance());
        ShadowTextToSpeech.reset();
        return made;
    }

    private static void has(String name, String language, int quality, boolean network, String... features) {
        ShadowTextToSpeech.addVoice(
            new Voice(name, Locale.forLanguageTag(language), quality, 200, network, new HashSet<>(Arrays.asList(features))));
    }

    /** The page, which cannot speak in a web view, asks the phone. */
    private void thePageIsReadAloud() throws Exception {
        ShadowTextToSpeech.reset();
        Python.module("driver").call("have_read", application, "vi");
        speaker().getOnInitListener().onInit(TextToSpeech.ERROR);
        becomes("nothing speaks", told(application, "heard", "engine_missing"));

        Python.module("driver").call("have_read", application, "vi");
        ShadowTextToSpeech foreign = speaker();
        has("by network", "vi-VN", 500, true);
        has("not installed", "vi-VN", 500, false, TextToSpeech.Engine.KEY_FEATURE_NOT_INSTALLED);
        has("english", "en-GB", 400, false);
        foreign.getOnInitListener().onInit(TextToSpeech.SUCCESS);
        becomes("no voice of the phone's own", told(application, "heard", "voice_missing"));

        Python.module("driver").call("have_read", application, "vi");
        ShadowTextToSpeech spoke = speaker();
        has("by network", "vi-VN", 500, true);
        has("plain", "vi-VN", 200, false);
        has("good", "vi-VN", 300, false);
        spoke.getOnInitListener().onInit(TextToSpeech.SUCCESS);
        becomes("all is read", told(application, "heard", "ended"));
        assertEquals("good", spoke.getCurrentVoice().getName());
        assertEquals(Arrays.asList("Trang chủ", "Chưa có gì để kiểm tra"), spoke.getSpokenTextList());
        assertTrue("nothing stays bound", spoke.isShutdown());
    }

    @Test
    public void i_theAppsOwnScreensAreReadAloudAndStopWithTheWindow() throws Exception {
        python();
        Python.module("driver").call("begin_day", application);
        answer(application, "agreed", false);
        final ActivityController<MainActivity> window = opened("Đồng ý và bắt đầu");
        ShadowTextToSpeech.reset();
        press(window.get(), "read");
        becomes("the button stops it now", () -> shown(window.get()).contains(">Dừng đọc</a>"));
        speaker().getOnInitListener().onInit(TextToSpeech.ERROR);
        becomes("it says what is missing", () -> shown(window.get()).contains("Máy này chưa có ứng dụng đọc văn bản"));

        press(window.get(), "read");
        ShadowTextToSpeech asked = speaker();
        window.pause();  // before anything was read
        becomes("it has stopped", asked::isShutdown);
        window.resume();
        becomes("the button reads again", () -> shown(window.get()).contains(">Đọc to</a>"));
        assertFalse(shown(window.get()).contains("role='alert'"));

        press(window.get(), "read");
        ShadowTextToSpeech spoke = speaker();
        has("here", "vi-VN", 300, false);
        spoke.getOnInitListener().onInit(TextToSpeech.SUCCESS);
        becomes("it was read", spoke::isShutdown);
        assertEquals("Bluezone báo cho bạn biết sớm", spoke.getSpokenTextList().get(0));
        window.destroy();
    }
}
