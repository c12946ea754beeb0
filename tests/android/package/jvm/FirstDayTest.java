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
import android.content.Context;
import android.content.Intent;
import android.net.Uri;
import android.os.Looper;
import android.webkit.WebResourceRequest;
import android.webkit.WebView;
import android.webkit.WebViewClient;
import android.widget.FrameLayout;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
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

/**
 * The app's Java and Python in one process on Android's own classes (API 35, Robolectric). What is real and what is
 * a shadow: docs/android.md. Python lives once in a process, so the tests run in the order of their names.
 */
@RunWith(RobolectricTestRunner.class)
@FixMethodOrder(MethodSorters.NAME_ASCENDING)
@Config(sdk = 35, qualifiers = "vi")
public class FirstDayTest {
    private static final String DATA = "data:text/html;charset=utf-8;base64,";
    private static final String[] NEARBY = {
        Manifest.permission.BLUETOOTH_SCAN, Manifest.permission.BLUETOOTH_ADVERTISE, Manifest.permission.BLUETOOTH_CONNECT,
    };
    private static final int LOOKS = 6000;
    private Application application;

    @Before
    public void newPhone() {
        application = RuntimeEnvironment.getApplication();
        TracingService.running = false;
    }

    /** Wait for Python, and let it find the driver, and what is published for no phone but is on this machine. */
    private void python() throws Exception {
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
    private static void becomes(String what, Callable<Boolean> holds) throws Exception {
        for (int look = 0; look < LOOKS; look++) {
            shadowOf(Looper.getMainLooper()).idle();
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
        Engine.hold(held);  // Python as slow as can be: it is not even begun
        ServiceController<TracingService> controller = Robolectric.buildService(TracingService.class).create();
        controller.startCommand(0, 1);

        Notification notice = shadowOf(controller.get()).getLastForegroundNotification();
        assertEquals("Đang mở Bluezone…", notice.extras.getString(Notification.EXTRA_TEXT));
        assertTrue(TracingService.running);
        JobScheduler scheduler = (JobScheduler) application.getSystemService(Context.JOB_SCHEDULER_SERVICE);
        assertTrue(scheduler.getAllPendingJobs().get(0).isPersisted());
        controller.destroy();  // comes back although Python's thread is held: the main thread waits for nothing
        assertFalse(TracingService.running);
        held.countDown();
    }

    @Test
    public void b_theFirstScreenIsDrawnAndNothingElseMayBeLoaded() throws Exception {
        python();
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
        first.pause();
        second.destroy();
        first.resume();
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
        java.nio.file.Files.write(new java.io.File(folder, "setup.json").toPath(), "{\"agreed\": true}".getBytes("UTF-8"));
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
}
