// SPDX-License-Identifier: Apache-2.0
package bluezone.phone;

import android.app.Activity;
import android.content.Intent;
import android.graphics.Insets;
import android.os.Build;
import android.os.Bundle;
import android.text.TextUtils;
import android.util.Log;
import android.view.View;
import android.view.WindowInsets;
import android.webkit.WebView;
import android.widget.FrameLayout;
import android.window.OnBackInvokedCallback;
import android.window.OnBackInvokedDispatcher;

/** The one window: a web view that bluezone_phone.front fills once Python is there. */
public final class MainActivity extends Activity {
    private WebView view;
    private PyRef front;
    private boolean resumed, gone;

    @Override
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        view = new WebView(this);
        FrameLayout frame = new FrameLayout(this);
        frame.addView(view);
        frame.setOnApplyWindowInsetsListener(new View.OnApplyWindowInsetsListener() {
            @Override
            public WindowInsets onApplyWindowInsets(View padded, WindowInsets insets) {
                return pad(padded, insets);
            }
        });
        setContentView(frame);
        // Until Python is there, which takes a while at the first start; in words, because there is nothing else yet.
        view.loadData("<meta name=viewport content='width=device-width'><p style='font:1.2em sans-serif;margin:2em'>"
            + TextUtils.htmlEncode(getString(R.string.bluezone_opening)), "text/html; charset=utf-8", null);
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) takeBack();
        Engine.onMain(this, new Runnable() {
            @Override
            public void run() {
                if (gone) return;
                try {
                    front = (PyRef) Python.module("bluezone_phone.front").call("begin", MainActivity.this, view);
                } catch (PythonError error) {
                    Log.e("bluezone", "the window does not begin", error);
                    return;
                }
                if (resumed) front.call("onResume");
            }
        });
    }

    /** From target 35 on the window lies under the bars of the system, and under the keyboard. */
    private static WindowInsets pad(View padded, WindowInsets insets) {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
            int kinds = WindowInsets.Type.systemBars() | WindowInsets.Type.displayCutout() | WindowInsets.Type.ime();
            Insets bars = insets.getInsets(kinds);
            padded.setPadding(bars.left, bars.top, bars.right, bars.bottom);
            return WindowInsets.CONSUMED;
        }
        padded.setPadding(insets.getSystemWindowInsetLeft(), insets.getSystemWindowInsetTop(),
            insets.getSystemWindowInsetRight(), insets.getSystemWindowInsetBottom());
        return insets.consumeSystemWindowInsets();
    }

    /** From target 36 on Android sends no back key to an app. */
    private void takeBack() {
        getOnBackInvokedDispatcher().registerOnBackInvokedCallback(OnBackInvokedDispatcher.PRIORITY_DEFAULT, new OnBackInvokedCallback() {
            @Override
            public void onBackInvoked() {
                goBack();
            }
        });
    }

    @Override
    public void onBackPressed() {
        goBack();
    }

    /** Back within the page first; then the window goes behind others and stays as it is. */
    private void goBack() {
        if (front == null || !Boolean.TRUE.equals(front.call("back"))) moveTaskToBack(true);
    }

    @Override
    protected void onResume() {
        super.onResume();
        resumed = true;
        if (front != null) front.call("onResume");
    }

    @Override
    protected void onPause() {
        resumed = false;
        if (front != null) front.call("onPause");
        super.onPause();
    }

    @Override
    protected void onActivityResult(int request, int result, Intent data) {
        super.onActivityResult(request, result, data);
        if (front != null) front.call("onActivityResult", request, result, data);
    }

    @Override
    protected void onDestroy() {
        gone = true;
        if (front != null) front.call("onDestroy");
        view.destroy();
        super.onDestroy();
    }
}
