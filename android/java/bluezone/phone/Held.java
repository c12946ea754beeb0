// SPDX-License-Identifier: Apache-2.0
package bluezone.phone;

/** A Java object whose methods are in Python: it crosses to Python as the Python object it belongs to. */
public interface Held {
    /** Its Python object. */
    PyRef python();
}
