// SPDX-License-Identifier: Apache-2.0
package bluezone.phone;

import android.util.Log;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.util.concurrent.ConcurrentLinkedQueue;

/** A Python object as Java holds it: strongly, or weakly where Python itself holds the Java object that holds this. */
public final class PyRef implements InvocationHandler {
    private static final ConcurrentLinkedQueue<Long> released = new ConcurrentLinkedQueue<>();

    /** Address of the object, or of a weak reference to it; owned by this PyRef. */
    final long handle;

    PyRef(long handle) {
        this.handle = handle;
    }

    /** Call a method of the object; null if a weakly held object is gone. */
    public Object call(String name, Object... arguments) {
        return Python.call(handle, name, (Object[]) Reflection.plain(arguments));
    }

    /** A Python object that stands for Java interfaces: every call goes to its method of the same name. */
    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments) {
        if (method.getDeclaringClass() == Object.class) {
            switch (method.getName()) {
                case "equals": return proxy == arguments[0];
                case "hashCode": return System.identityHashCode(proxy);
                default: return "PyRef@" + Long.toHexString(handle);
            }
        }
        try {
            Object answer = call(method.getName(), arguments == null ? new Object[0] : arguments);
            return Reflection.returned(method.getReturnType(), answer);
        } catch (PythonError error) {
            // Most of these calls come on the main thread, where an error would end the app, the tracing with it.
            Log.e("bluezone", method.getName() + " failed in Python", error);
            return Reflection.returned(method.getReturnType(), null);
        }
    }

    /** The Python object is let go at the next crossing: a finalizer must not wait for Python's lock. */
    @Override
    protected void finalize() {
        released.add(handle);
    }

    /** The handles to let go, 0 when there is none left; called by the native side. */
    static long nextReleased() {
        Long handle = released.poll();
        return handle == null ? 0 : handle;
    }
}
