// SPDX-License-Identifier: Apache-2.0
package bluezone.phone;

import android.content.Context;
import android.content.res.AssetManager;
import android.os.Handler;
import android.os.Looper;
import android.system.ErrnoException;
import android.system.Os;
import android.util.Base64;
import android.util.Log;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/**
 * Brings Python up, once in a process and never on the main thread, and does work in it.
 *
 * `work` keeps its order: one thread does it, beginning with the start of Python. `onMain` waits for Python without
 * holding the main thread.
 */
public final class Engine {
    private static final String TAG = "bluezone", BUILD = "build";
    private static final ExecutorService worker = Executors.newSingleThreadExecutor();
    private static final List<Runnable> waiting = new ArrayList<>();
    private static boolean begun, ready;
    private static volatile Context application;
    /** Written and read by the worker alone. */
    private static boolean failed;

    private Engine() {}

    /** Begin to start Python, unless that was done already; where there was no room for its files, once more. */
    static synchronized void start(Context context) {
        if (begun) return;
        begun = true;
        application = context.getApplicationContext();
        worker.execute(new Runnable() {
            @Override
            public void run() {
                bringUp(application);
            }
        });
    }

    /** The app's, for Python; null before the start. */
    public static Context context() {
        return application;
    }

    /** Do something in Python after all that was asked before, on a thread that may be kept waiting. */
    static void work(Context context, final Runnable task) {
        start(context);
        worker.execute(new Runnable() {
            @Override
            public void run() {
                if (failed) return;
                try {
                    task.run();
                } catch (RuntimeException error) {
                    Log.e(TAG, "Python failed", error);
                }
            }
        });
    }

    /** Do something on the main thread as soon as Python is there. */
    static void onMain(Context context, Runnable task) {
        start(context);
        synchronized (Engine.class) {
            if (!ready) {
                waiting.add(task);
                return;
            }
        }
        new Handler(Looper.getMainLooper()).post(task);
    }

    private static void bringUp(Context context) {
        failed = false;
        try {
            Python.start(Installation.of(context).path());
            Python.module("bluezone_phone.nativemodules").call("install");
            Python.module("bluezone_phone.javabridge").call("install");
        } catch (IOException error) {
            // Python's files could not be written, as on a full disk: nothing of Python has begun.
            Log.e(TAG, "Python's files are not there", error);
            failed = true;
            synchronized (Engine.class) {
                begun = false;
            }
            TracingService.tryAgainLater(context);
            return;
        } catch (RuntimeException | LinkageError error) {
            Log.e(TAG, "Python does not start", error);
            failed = true;
            Notices.stopped(context);
            return;
        }
        List<Runnable> tasks;
        synchronized (Engine.class) {
            ready = true;
            tasks = new ArrayList<>(waiting);
            waiting.clear();
        }
        Handler main = new Handler(Looper.getMainLooper());
        for (Runnable task : tasks) main.post(task);
    }

    /** Python's files as they lie in the app's own folder: unpacked at the first start of each build. */
    private static final class Installation {
        private final File folder;
        private final Context context;

        private Installation(Context context, File folder) {
            this.context = context;
            this.folder = folder;
        }

        static Installation of(Context context) throws IOException {
            Installation made = new Installation(context, new File(context.getFilesDir(), "python"));
            String build = new String(all(context.getAssets().open("python/build")), StandardCharsets.UTF_8);
            File mark = new File(made.folder, BUILD);
            if (!mark.isFile() || !new String(all(new FileInputStream(mark)), StandardCharsets.UTF_8).equals(build)) {
                made.unpack();
                write(mark, build.getBytes(StandardCharsets.UTF_8));  // last: an unpacking that was cut short begins anew
            }
            made.loadNative();
            return made;
        }

        /** Where Python looks for modules; nativemodules.py finds those that are native. */
        String path() {
            setenv("SSL_CERT_FILE", certificates());
            setenv("TMPDIR", context.getCacheDir().getPath());
            setenv("HOME", context.getFilesDir().getPath());
            setenv("BLUEZONE_NATIVE", context.getApplicationInfo().nativeLibraryDir);
            return folder + "/stdlib.zip:" + folder + "/engine";
        }

        private void unpack() throws IOException {
            remove(folder);
            AssetManager assets = context.getAssets();
            File engine = new File(folder, "engine");
            if (!engine.mkdirs()) throw new IOException("cannot make " + engine);
            // Not compressed inside, so that Python reads it before it has zlib.
            write(new File(folder, "stdlib.zip"), all(assets.open("python/stdlib.zip")));
            try (ZipInputStream zip = new ZipInputStream(assets.open("python/engine.zip"))) {
                for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                    File file = new File(engine, entry.getName());
                    File parent = file.getParentFile();
                    if (!parent.isDirectory() && !parent.mkdirs()) throw new IOException("cannot make " + parent);
                    write(file, all(zip));
                }
            }
        }

        /** Android's linker finds a library by name if it is loaded already; so those that others need come first. */
        private void loadNative() {
            for (String name : new String[] {"crypto_python", "ssl_python", "sqlite3_python", "python3.11", "bluezone"}) {
                System.loadLibrary(name);
            }
        }

        /**
         * The certificates that the system trusts, as the file that OpenSSL reads: Android's own folder names them by a
         * hash that OpenSSL no longer uses. What the owner added is left out, as for the rest of the app.
         */
        private String certificates() {
            File file = new File(folder, "cacert.pem");
            StringBuilder pem = new StringBuilder();
            try {
                KeyStore store = KeyStore.getInstance("AndroidCAStore");
                store.load(null, null);
                for (Enumeration<String> names = store.aliases(); names.hasMoreElements();) {
                    String name = names.nextElement();
                    if (!name.startsWith("system:")) continue;
                    pem.append("-----BEGIN CERTIFICATE-----\n");
                    pem.append(Base64.encodeToString(store.getCertificate(name).getEncoded(), Base64.DEFAULT));
                    pem.append("-----END CERTIFICATE-----\n");
                }
                write(file, pem.toString().getBytes(StandardCharsets.US_ASCII));
            } catch (GeneralSecurityException | IOException error) {
                Log.e(TAG, "the system's certificates cannot be read", error);  // an older file, if there is one, goes on
            }
            return file.getPath();
        }

        private static void setenv(String name, String value) {
            try {
                Os.setenv(name, value, true);
            } catch (ErrnoException error) {
                throw new IllegalStateException(error);
            }
        }

        private static byte[] all(InputStream from) throws IOException {
            ByteArrayOutputStream read = new ByteArrayOutputStream();
            byte[] some = new byte[1 << 16];
            for (int count = from.read(some); count >= 0; count = from.read(some)) read.write(some, 0, count);
            if (!(from instanceof ZipInputStream)) from.close();
            return read.toByteArray();
        }

        private static void write(File file, byte[] content) throws IOException {
            try (OutputStream out = new FileOutputStream(file)) {
                out.write(content);
            }
        }

        private static void remove(File folder) {
            File[] inside = folder.listFiles();
            if (inside != null) for (File one : inside) remove(one);
            folder.delete();
        }
    }
}
