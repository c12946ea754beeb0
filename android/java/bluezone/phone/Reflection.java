// SPDX-License-Identifier: Apache-2.0
package bluezone.phone;

import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What Python asks of Java: one entry for the native side, and the choice among methods of one name.
 *
 * Values cross as null, Boolean, Long, Double, String, byte[], Object[], PyRef, or as a reference to any other object.
 */
final class Reflection {
    static final int CLASS = 0, KIND = 1, GET = 2, CALL = 3, NEW = 4, NAME = 5, PARENT = 6, PROXY = 7, TEXT = 8,
        SAME = 9, HASH = 10, IS = 11;
    static final long NOTHING = 0, FIELD = 1, METHOD = 2, NESTED = 3;
    private static final int EXACT = 10, NEAR = 5, FAR = 1, NEVER = -1;

    private Reflection() {}

    /** Do one thing. target: a Class for static members and NEW, else the object. Throws whatever Java throws. */
    static Object perform(int what, Object target, String name, Object[] arguments) throws Throwable {
        switch (what) {
            case CLASS: return found(name);
            case KIND: return kind((Class<?>) target, name);
            case GET: return plain(field(target, name).get(target));
            case CALL: return plain(call(target, name, arguments));
            case NEW: return make((Class<?>) target, arguments);
            case NAME: return target.getClass().getName();
            case PARENT: return parent((Class<?>) target);
            case PROXY: return proxy(name, (PyRef) arguments[0]);
            case TEXT: return String.valueOf(target);
            case SAME: return target.equals(arguments[0]);
            case HASH: return (long) target.hashCode();
            case IS: return ((Class<?>) target).isInstance(arguments[0]);
            default: throw new IllegalArgumentException("no such request: " + what);
        }
    }

    private static Class<?> found(String name) {
        try {
            return Class.forName(name, true, Reflection.class.getClassLoader());
        } catch (ClassNotFoundException | LinkageError missing) {
            return null;
        }
    }

    private static long kind(Class<?> type, String name) {
        for (Class<?> one : open(type)) {
            for (Method method : one.getMethods()) if (method.getName().equals(name)) return METHOD;
            for (Field field : one.getFields()) if (field.getName().equals(name)) return FIELD;
            if (found(one.getName() + "$" + name) != null) return NESTED;
        }
        return NOTHING;
    }

    private static String parent(Class<?> type) {
        return type.getSuperclass() == null ? null : type.getSuperclass().getName();
    }

    private static Class<?> typeOf(Object target) {
        return target instanceof Class ? (Class<?>) target : target.getClass();
    }

    private static Field field(Object target, String name) throws NoSuchFieldException {
        for (Class<?> one : open(typeOf(target))) {
            for (Field field : one.getFields()) if (field.getName().equals(name)) return field;
        }
        throw new NoSuchFieldException(name);
    }

    private static Object call(Object target, String name, Object[] arguments) throws Throwable {
        List<Method> methods = new ArrayList<>();
        for (Class<?> one : open(typeOf(target))) {
            for (Method method : one.getMethods()) {
                boolean reachable = !(target instanceof Class) || Modifier.isStatic(method.getModifiers());
                if (method.getName().equals(name) && reachable && opened(method.getDeclaringClass())) methods.add(method);
            }
        }
        if (methods.isEmpty() && target instanceof Class && !name.isEmpty()) {  // a method of java.lang.Class itself
            for (Method method : Class.class.getMethods()) if (method.getName().equals(name)) methods.add(method);
        }
        Method chosen = best(methods, name, arguments);
        try {
            return chosen.invoke(target, packed(chosen, arguments));
        } catch (InvocationTargetException thrown) {
            throw thrown.getCause();
        }
    }

    private static Object make(Class<?> type, Object[] arguments) throws Throwable {
        Constructor<?> chosen = best(Arrays.asList(type.getConstructors()), type.getName(), arguments);
        try {
            return chosen.newInstance(packed(chosen, arguments));
        } catch (InvocationTargetException thrown) {
            throw thrown.getCause();
        }
    }

    private static Object proxy(String names, PyRef python) {
        List<Class<?>> interfaces = new ArrayList<>();
        for (String name : names.split(" ")) interfaces.add(found(name));
        return Proxy.newProxyInstance(Reflection.class.getClassLoader(), interfaces.toArray(new Class<?>[0]), python);
    }

    /** The types of an object whose methods anybody may call: public classes and interfaces, nearest first. */
    private static Set<Class<?>> open(Class<?> type) {
        Set<Class<?>> found = new LinkedHashSet<>();
        for (Class<?> one = type; one != null; one = one.getSuperclass()) {
            if (opened(one)) found.add(one);
            gather(one, found);
        }
        return found;
    }

    private static void gather(Class<?> type, Set<Class<?>> found) {
        for (Class<?> one : type.getInterfaces()) {
            if (opened(one)) found.add(one);
            gather(one, found);
        }
    }

    private static boolean opened(Class<?> type) {
        String name = type.getName();
        return Modifier.isPublic(type.getModifiers()) && !name.startsWith("sun.") && !name.startsWith("com.sun.")
            && !name.startsWith("jdk.");
    }

    private static <E extends Executable> E best(List<E> all, String name, Object[] arguments) throws NoSuchMethodException {
        E chosen = null;
        int highest = NEVER;
        for (E one : all) {
            int score = score(one, arguments);
            if (score > highest) {
                chosen = one;
                highest = score;
            }
        }
        if (chosen == null) throw new NoSuchMethodException(name + Arrays.toString(typesOf(arguments)));
        return chosen;
    }

    private static String[] typesOf(Object[] arguments) {
        String[] types = new String[arguments.length];
        for (int i = 0; i < types.length; i++) types[i] = arguments[i] == null ? "null" : arguments[i].getClass().getName();
        return types;
    }

    private static int score(Executable one, Object[] arguments) {
        Class<?>[] wanted = one.getParameterTypes();
        if (wanted.length == arguments.length) {
            int total = 1;
            for (int i = 0; i < wanted.length; i++) {
                int fits = fits(wanted[i], arguments[i]);
                if (fits == NEVER) {
                    total = NEVER;
                    break;
                }
                total += fits * 2;
            }
            if (total != NEVER) return total;
        }
        if (!one.isVarArgs() || arguments.length < wanted.length - 1) return NEVER;
        int total = 0;
        Class<?> element = wanted[wanted.length - 1].getComponentType();
        for (int i = 0; i < arguments.length; i++) {
            int fits = fits(i < wanted.length - 1 ? wanted[i] : element, arguments[i]);
            if (fits == NEVER) return NEVER;
            total += fits;
        }
        return total;
    }

    private static Object[] packed(Executable one, Object[] arguments) {
        Class<?>[] wanted = one.getParameterTypes();
        Object[] packed = new Object[wanted.length];
        boolean direct = wanted.length == arguments.length;
        for (int i = 0; direct && i < wanted.length; i++) direct = fits(wanted[i], arguments[i]) != NEVER;
        int single = direct ? wanted.length : wanted.length - 1;
        for (int i = 0; i < single; i++) packed[i] = converted(wanted[i], arguments[i]);
        if (!direct) {
            Class<?> element = wanted[single].getComponentType();
            packed[single] = Array.newInstance(element, arguments.length - single);
            for (int i = single; i < arguments.length; i++) {
                Array.set(packed[single], i - single, converted(element, arguments[i]));
            }
        }
        return packed;
    }

    /** How well a value fits a type; NEVER if it does not. */
    private static int fits(Class<?> wanted, Object value) {
        if (value == null) return wanted.isPrimitive() ? NEVER : FAR;
        if (value instanceof Long) {
            long number = (Long) value;
            if (wanted == int.class) return number == (int) number ? EXACT : NEVER;
            if (wanted == long.class) return EXACT - 1;
            if (wanted == short.class) return number == (short) number ? NEAR - 1 : NEVER;
            if (wanted == byte.class) return number == (byte) number ? NEAR - 2 : NEVER;
            if (wanted == float.class || wanted == double.class) return FAR + 1;
        }
        if (value instanceof Double && (wanted == double.class || wanted == float.class)) return EXACT;
        if (value instanceof Boolean && wanted == boolean.class) return EXACT;
        if (value instanceof String && wanted == char.class) return ((String) value).length() == 1 ? NEAR : NEVER;
        if (value instanceof Object[] && wanted.isArray()) {
            for (Object one : (Object[]) value) if (fits(wanted.getComponentType(), one) == NEVER) return NEVER;
            return NEAR;
        }
        if (wanted.isInstance(value)) return wanted == value.getClass() ? EXACT : wanted == Object.class ? FAR : NEAR;
        if (wanted == Integer.class && value instanceof Long) return FAR;
        return NEVER;
    }

    private static Object converted(Class<?> wanted, Object value) {
        if (value instanceof Number) {
            Number number = (Number) value;
            if (wanted == int.class || wanted == Integer.class) return number.intValue();
            if (wanted == short.class) return number.shortValue();
            if (wanted == byte.class) return number.byteValue();
            if (wanted == float.class) return number.floatValue();
            if (wanted == double.class) return number.doubleValue();
            if (wanted == long.class) return number.longValue();
        }
        if (value instanceof String && wanted == char.class) return ((String) value).charAt(0);
        if (value instanceof Object[] && wanted.isArray()) {
            Object[] given = (Object[]) value;
            Object made = Array.newInstance(wanted.getComponentType(), given.length);
            for (int i = 0; i < given.length; i++) Array.set(made, i, converted(wanted.getComponentType(), given[i]));
            return made;
        }
        return value;
    }

    /** A value of Java as it crosses to Python. */
    static Object plain(Object value) {
        if (value instanceof Integer || value instanceof Short || value instanceof Byte) return ((Number) value).longValue();
        if (value instanceof Float) return ((Float) value).doubleValue();
        if (value instanceof Character) return value.toString();
        if (value instanceof Held) return ((Held) value).python();
        if (value instanceof Object[]) {
            Object[] given = (Object[]) value;
            Object[] made = new Object[given.length];
            for (int i = 0; i < given.length; i++) made[i] = plain(given[i]);
            return made;
        }
        if (value instanceof CharSequence) return value.toString();
        return value;
    }

    /** What a method of Python returned, as a method of Java with this return type must return it. */
    static Object returned(Class<?> wanted, Object answer) {
        if (wanted == void.class) return null;
        if (answer != null) return converted(wanted, answer);
        if (wanted == boolean.class) return false;
        return wanted.isPrimitive() ? converted(wanted, 0L) : null;
    }
}
