// SPDX-License-Identifier: Apache-2.0
package bluezone.phone;

import android.bluetooth.le.AdvertiseData;
import android.bluetooth.le.AdvertisingSet;
import android.bluetooth.le.AdvertisingSetCallback;
import android.bluetooth.le.AdvertisingSetParameters;
import android.bluetooth.le.BluetoothLeAdvertiser;
import android.bluetooth.le.PeriodicAdvertisingParameters;
import android.os.Handler;
import android.os.Looper;
import java.util.ArrayList;
import java.util.List;
import org.robolectric.annotation.Implementation;
import org.robolectric.annotation.Implements;
import org.robolectric.shadow.api.Shadow;
import org.robolectric.shadows.ShadowBluetoothLeAdvertiser;

/** Robolectric has no advertising set with a duration: this one answers on the main thread, as Android does. */
@Implements(BluetoothLeAdvertiser.class)
public class AdvertiserDouble extends ShadowBluetoothLeAdvertiser {
    static final List<AdvertisingSetCallback> sending = new ArrayList<>();
    static AdvertiseData last;

    @Implementation
    protected void startAdvertisingSet(AdvertisingSetParameters parameters, AdvertiseData data, AdvertiseData response,
            PeriodicAdvertisingParameters periodic, AdvertiseData periodicData, int duration, int events,
            final AdvertisingSetCallback callback) {
        last = data;
        sending.add(callback);
        new Handler(Looper.getMainLooper()).post(new Runnable() {
            @Override
            public void run() {
                callback.onAdvertisingSetStarted(Shadow.newInstanceOf(AdvertisingSet.class), 0, 0);
            }
        });
    }

    @Implementation
    protected void stopAdvertisingSet(final AdvertisingSetCallback callback) {
        sending.remove(callback);
        new Handler(Looper.getMainLooper()).post(new Runnable() {
            @Override
            public void run() {
                callback.onAdvertisingSetStopped(null);
            }
        });
    }
}
