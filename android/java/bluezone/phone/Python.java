// SPDX-License-Identifier: Apache-2.0
package bluezone.phone;

/** The interpreter in this process; the native half is android/native/bridge.c. */
public final class Python {
    private Python() {}

    /** Start it, once in a process. path: of modules, colon-separated. Throws PythonError. */
    static native void start(String path);

    /** Call a method of the object at a handle; handle 0: import the module that is named and give it as a PyRef. */
    static native Object call(long handle, String name, Object[] arguments);

    /** A module. */
    public static PyRef module(String name) {
        return (PyRef) call(0, name, new Object[0]);
    }
}
