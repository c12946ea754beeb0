# SPDX-License-Identifier: Apache-2.0
"""Stubs of the androidx.test classes that Robolectric loads: those are on Google's Maven alone.

They do nothing but give the instrumentation back and note at which stage an activity is; no test looks at either.
"""

from pathlib import Path

_LIFECYCLE = "androidx.test.runner.lifecycle"
_STAGES = "PRE_ON_CREATE, CREATED, STARTED, RESUMED, PAUSED, STOPPED, RESTARTED, DESTROYED"


def _registry(kind: str, body: str = "") -> str:
    return (
        f"public final class {kind}Registry {{ private static {kind} one; "
        f"public static void registerInstance({kind} given) {{ one = given; }} "
        f"public static {kind} getInstance() {{ return one; }} {body} }}"
    )


STUBS = {
    "androidx.test.platform.app.InstrumentationRegistry": (
        "public final class InstrumentationRegistry { private static android.app.Instrumentation one; "
        "public static void registerInstance(android.app.Instrumentation it, android.os.Bundle of) { one = it; } "
        "public static android.app.Instrumentation getInstrumentation() { return one; } }"
    ),
    f"{_LIFECYCLE}.Stage": f"public enum Stage {{ {_STAGES} }}",
    f"{_LIFECYCLE}.ApplicationStage": "public enum ApplicationStage { PRE_ON_CREATE, CREATED }",
    f"{_LIFECYCLE}.ActivityLifecycleMonitor": (
        "public interface ActivityLifecycleMonitor { Stage getLifecycleStageOf(android.app.Activity activity); }"
    ),
    f"{_LIFECYCLE}.ApplicationLifecycleMonitor": "public interface ApplicationLifecycleMonitor { }",
    f"{_LIFECYCLE}.ActivityLifecycleMonitorRegistry": _registry("ActivityLifecycleMonitor"),
    f"{_LIFECYCLE}.ApplicationLifecycleMonitorRegistry": _registry("ApplicationLifecycleMonitor"),
    "androidx.test.internal.runner.lifecycle.ActivityLifecycleMonitorImpl": (
        "import androidx.test.runner.lifecycle.*; "
        "public final class ActivityLifecycleMonitorImpl implements ActivityLifecycleMonitor { "
        "private final java.util.WeakHashMap<android.app.Activity, Stage> stages = new java.util.WeakHashMap<>(); "
        "public void signalLifecycleChange(Stage stage, android.app.Activity one) { stages.put(one, stage); } "
        "public Stage getLifecycleStageOf(android.app.Activity activity) { return stages.get(activity); } }"
    ),
    "androidx.test.internal.runner.lifecycle.ApplicationLifecycleMonitorImpl": (
        "import androidx.test.runner.lifecycle.*; "
        "public final class ApplicationLifecycleMonitorImpl implements ApplicationLifecycleMonitor { "
        "public void signalLifecycleChange(android.app.Application application, ApplicationStage stage) { } }"
    ),
    "androidx.test.runner.intent.IntentMonitor": "public interface IntentMonitor { }",
    "androidx.test.runner.intent.IntentMonitorRegistry": _registry("IntentMonitor"),
    "androidx.test.runner.intent.IntentStubber": (
        "public interface IntentStubber { "
        "android.app.Instrumentation.ActivityResult getActivityResultForIntent(android.content.Intent intent); }"
    ),
    "androidx.test.runner.intent.IntentStubberRegistry": _registry(
        "IntentStubber", "public static boolean isLoaded() { return false; }"
    ),
    "androidx.test.internal.runner.intent.IntentMonitorImpl": (
        "public final class IntentMonitorImpl implements androidx.test.runner.intent.IntentMonitor { "
        "public void signalIntent(android.content.Intent intent) { } }"
    ),
}  # fmt: skip


def write_stubs(folder: Path) -> list[Path]:
    """Write them as Java below a folder; returns the files."""
    written = []
    for name, body in STUBS.items():
        package, _, kind = name.rpartition(".")
        path = folder / Path(*package.split(".")) / f"{kind}.java"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"package {package};\n{body}\n")
        written.append(path)
    return written
