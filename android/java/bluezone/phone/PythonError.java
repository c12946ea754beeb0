// SPDX-License-Identifier: Apache-2.0
package bluezone.phone;

/** An exception of Python that reached Java; the message is Python's traceback. */
public final class PythonError extends RuntimeException {
    public PythonError(String traceback) {
        super(traceback);
    }
}
