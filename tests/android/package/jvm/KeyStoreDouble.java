// SPDX-License-Identifier: Apache-2.0
package bluezone.phone;

import android.security.keystore.KeyGenParameterSpec;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.Key;
import java.security.KeyStoreSpi;
import java.security.Provider;
import java.security.SecureRandom;
import java.security.cert.Certificate;
import java.security.spec.AlgorithmParameterSpec;
import java.util.Collections;
import java.util.Date;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.Map;
import javax.crypto.KeyGeneratorSpi;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;

/** A double of Android's key store: the keys are in this process, and can be taken away. */
public final class KeyStoreDouble extends Provider {
    static final Map<String, SecretKey> keys = new HashMap<>();

    public KeyStoreDouble() {
        super("AndroidKeyStore", 1.0, "a double");
        put("KeyStore.AndroidKeyStore", Store.class.getName());
        put("KeyGenerator.AES", Generator.class.getName());
    }

    /** Makes a key under the alias that the app's own specification names. */
    public static final class Generator extends KeyGeneratorSpi {
        private KeyGenParameterSpec wanted;

        @Override protected void engineInit(AlgorithmParameterSpec spec, SecureRandom random) {
            wanted = (KeyGenParameterSpec) spec;
        }

        @Override protected void engineInit(SecureRandom random) {
            throw new UnsupportedOperationException();
        }

        @Override protected void engineInit(int bits, SecureRandom random) {
            throw new UnsupportedOperationException();
        }

        @Override protected SecretKey engineGenerateKey() {
            byte[] drawn = new byte[wanted.getKeySize() / 8];
            new SecureRandom().nextBytes(drawn);
            SecretKey made = new SecretKeySpec(drawn, "AES");
            keys.put(wanted.getKeystoreAlias(), made);
            return made;
        }
    }

    /** Finds and forgets them. */
    public static final class Store extends KeyStoreSpi {
        @Override public Key engineGetKey(String alias, char[] password) { return keys.get(alias); }
        @Override public boolean engineContainsAlias(String alias) { return keys.containsKey(alias); }
        @Override public void engineDeleteEntry(String alias) { keys.remove(alias); }
        @Override public void engineLoad(InputStream stream, char[] password) { }
        @Override public void engineLoad(java.security.KeyStore.LoadStoreParameter parameter) { }
        @Override public Enumeration<String> engineAliases() { return Collections.enumeration(keys.keySet()); }
        @Override public boolean engineIsKeyEntry(String alias) { return keys.containsKey(alias); }
        @Override public int engineSize() { return keys.size(); }
        @Override public boolean engineIsCertificateEntry(String alias) { return false; }
        @Override public Certificate[] engineGetCertificateChain(String alias) { return null; }
        @Override public Certificate engineGetCertificate(String alias) { return null; }
        @Override public Date engineGetCreationDate(String alias) { return new Date(0); }
        @Override public String engineGetCertificateAlias(Certificate certificate) { return null; }
        @Override public void engineSetKeyEntry(String a, Key k, char[] p, Certificate[] c) { throw new UnsupportedOperationException(); }
        @Override public void engineSetKeyEntry(String a, byte[] k, Certificate[] c) { throw new UnsupportedOperationException(); }
        @Override public void engineSetCertificateEntry(String a, Certificate c) { throw new UnsupportedOperationException(); }
        @Override public void engineStore(OutputStream stream, char[] password) { throw new UnsupportedOperationException(); }
    }
}
