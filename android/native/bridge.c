/* SPDX-License-Identifier: Apache-2.0
 * Python in an Android process: JNI on one side, CPython's C API on the other, and values carried across.
 *
 * Neither Python.h nor the NDK is needed: the few functions of CPython are declared here as the stable ABI has them
 * (the four of the start are CPython 3.11's), and jni.h is the JDK's, whose table Android shares. Values cross as
 * Reflection.java says; any other object of Java is a capsule with a global reference, any other object of Python a
 * PyRef. Python's lock is never held while Java runs.
 */
#include <jni.h>
#include <stddef.h>

typedef struct object PyObject;
typedef ptrdiff_t Py_ssize_t;
typedef PyObject *(*PyCFunction)(PyObject *, PyObject *);
typedef struct { const char *name; PyCFunction function; int flags; const char *doc; } PyMethodDef;
typedef struct {
    struct { Py_ssize_t count; void *type; } ob_base;
    void *init; Py_ssize_t index; void *copy;
    const char *name, *doc; Py_ssize_t size; PyMethodDef *methods;
    void *slots, *traverse, *clear, *free;
} PyModuleDef;

extern PyObject _Py_NoneStruct, _Py_TrueStruct, _Py_FalseStruct, PyFloat_Type;
extern PyObject *PyExc_RuntimeError;
extern int Py_NoSiteFlag, Py_IgnoreEnvironmentFlag, Py_UTF8Mode;
void Py_IncRef(PyObject *), Py_DecRef(PyObject *), Py_InitializeEx(int), Py_SetPath(const wchar_t *);
int PyImport_AppendInittab(const char *, PyObject *(*)(void));
void *PyEval_SaveThread(void);
void PyEval_RestoreThread(void *);
int PyGILState_Ensure(void);
void PyGILState_Release(int);
wchar_t *Py_DecodeLocale(const char *, size_t *);
PyObject *PyModule_Create2(PyModuleDef *, int), *PyImport_ImportModule(const char *);
PyObject *PyObject_GetAttrString(PyObject *, const char *), *PyObject_CallObject(PyObject *, PyObject *);
PyObject *PyObject_Type(PyObject *), *PyObject_CallFunctionObjArgs(PyObject *, ...);
int PyType_IsSubtype(PyObject *, PyObject *);
unsigned long PyType_GetFlags(PyObject *);
PyObject *PyTuple_New(Py_ssize_t), *PyTuple_GetItem(PyObject *, Py_ssize_t), *PyList_New(Py_ssize_t);
PyObject *PyList_GetItem(PyObject *, Py_ssize_t);
int PyTuple_SetItem(PyObject *, Py_ssize_t, PyObject *), PyList_SetItem(PyObject *, Py_ssize_t, PyObject *);
Py_ssize_t PyTuple_Size(PyObject *), PyList_Size(PyObject *);
PyObject *PyLong_FromLongLong(long long), *PyFloat_FromDouble(double);
long long PyLong_AsLongLong(PyObject *);
double PyFloat_AsDouble(PyObject *);
PyObject *PyUnicode_DecodeUTF16(const char *, Py_ssize_t, const char *, int *), *PyUnicode_FromString(const char *);
PyObject *PyUnicode_AsEncodedString(PyObject *, const char *, const char *), *PyUnicode_Join(PyObject *, PyObject *);
PyObject *PyBytes_FromStringAndSize(const char *, Py_ssize_t);
int PyBytes_AsStringAndSize(PyObject *, char **, Py_ssize_t *);
PyObject *PyCapsule_New(void *, const char *, void (*)(PyObject *));
void *PyCapsule_GetPointer(PyObject *, const char *);
int PyCapsule_IsValid(PyObject *, const char *);
PyObject *PyErr_Occurred(void);
void PyErr_Clear(void), PyErr_SetString(PyObject *, const char *), PyErr_SetObject(PyObject *, PyObject *);
void PyErr_Fetch(PyObject **, PyObject **, PyObject **), PyErr_NormalizeException(PyObject **, PyObject **, PyObject **);
int PyArg_ParseTuple(PyObject *, const char *, ...);
PyObject *PyWeakref_NewRef(PyObject *, PyObject *), *PyWeakref_GetObject(PyObject *);
extern PyObject _PyWeakref_RefType;
int pthread_key_create(unsigned *, void (*)(void *));
int pthread_setspecific(unsigned, const void *);

enum { LONG = 1 << 24, LIST = 1 << 25, TUPLE = 1 << 26, BYTES = 1 << 27, UNICODE = 1 << 28 };
#define NONE (&_Py_NoneStruct)
#define OBJECT "bluezone.java"

static JavaVM *vm;
static unsigned attached;
static jclass reflection, pyref, error, boxes[5], anything, array_of_bytes, array;
enum { BOOLEAN, LONGS, DOUBLE, STRING, NUMBERS };
static jmethodID perform, next_released, new_pyref, new_error, of_boolean, of_long, of_double;
static jmethodID boolean_value, long_value, double_value;
static jfieldID handle_of;
static PyObject *thrown, *wrapping;  /* of the Python half, called with a capsule: the exception; a tuple, wrapped */

static void detach(void *unused) { (void)unused; (*vm)->DetachCurrentThread(vm); }

/* The JNI of this thread; a thread of Python's is made known to Java for the rest of its life. */
static JNIEnv *here(void) {
    JNIEnv *env = NULL;
    if ((*vm)->GetEnv(vm, (void **)&env, JNI_VERSION_1_6) == JNI_OK) return env;
#ifdef __ANDROID__
    (*vm)->AttachCurrentThreadAsDaemon(vm, (void *)&env, NULL);
#else
    (*vm)->AttachCurrentThreadAsDaemon(vm, (void **)&env, NULL);
#endif
    pthread_setspecific(attached, &attached);
    return env;
}

static jclass kept(JNIEnv *env, const char *name) {
    jclass found = (*env)->FindClass(env, name);
    return found ? (*env)->NewGlobalRef(env, found) : NULL;
}

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *given, void *unused) {
    static const char *names[] = {"java/lang/Boolean", "java/lang/Long", "java/lang/Double", "java/lang/String", "java/lang/Number"};
    JNIEnv *env;
    (void)unused;
    vm = given;
    env = here();
    pthread_key_create(&attached, detach);
    for (int i = 0; i < 5; i++) boxes[i] = kept(env, names[i]);
    reflection = kept(env, "bluezone/phone/Reflection");
    pyref = kept(env, "bluezone/phone/PyRef");
    error = kept(env, "bluezone/phone/PythonError");
    anything = kept(env, "java/lang/Object");
    array = kept(env, "[Ljava/lang/Object;");
    array_of_bytes = kept(env, "[B");
    if (!reflection || !pyref || !error) return -1;
    perform = (*env)->GetStaticMethodID(env, reflection, "perform",
        "(ILjava/lang/Object;Ljava/lang/String;[Ljava/lang/Object;)Ljava/lang/Object;");
    next_released = (*env)->GetStaticMethodID(env, pyref, "nextReleased", "()J");
    new_pyref = (*env)->GetMethodID(env, pyref, "<init>", "(J)V");
    new_error = (*env)->GetMethodID(env, error, "<init>", "(Ljava/lang/String;)V");
    handle_of = (*env)->GetFieldID(env, pyref, "handle", "J");
    of_boolean = (*env)->GetStaticMethodID(env, boxes[BOOLEAN], "valueOf", "(Z)Ljava/lang/Boolean;");
    of_long = (*env)->GetStaticMethodID(env, boxes[LONGS], "valueOf", "(J)Ljava/lang/Long;");
    of_double = (*env)->GetStaticMethodID(env, boxes[DOUBLE], "valueOf", "(D)Ljava/lang/Double;");
    boolean_value = (*env)->GetMethodID(env, boxes[BOOLEAN], "booleanValue", "()Z");
    long_value = (*env)->GetMethodID(env, boxes[NUMBERS], "longValue", "()J");
    double_value = (*env)->GetMethodID(env, boxes[NUMBERS], "doubleValue", "()D");
    return (*env)->ExceptionCheck(env) ? -1 : JNI_VERSION_1_6;
}

static void release_object(PyObject *capsule) {
    jobject object = PyCapsule_GetPointer(capsule, OBJECT);
    JNIEnv *env = here();
    (*env)->DeleteGlobalRef(env, object);
}

static PyObject *text(JNIEnv *env, jstring given) {
    int order = -1;  /* Java's strings are of the machine's byte order: little on every Android */
    const jchar *units = (*env)->GetStringChars(env, given, NULL);
    PyObject *made = PyUnicode_DecodeUTF16((const char *)units, 2 * (Py_ssize_t)(*env)->GetStringLength(env, given), "surrogatepass", &order);
    (*env)->ReleaseStringChars(env, given, units);
    return made;
}

static jstring string(JNIEnv *env, PyObject *given) {
    char *units;
    Py_ssize_t length;
    jstring made = NULL;
    PyObject *encoded = PyUnicode_AsEncodedString(given, "utf-16-le", "surrogatepass");
    if (encoded && PyBytes_AsStringAndSize(encoded, &units, &length) == 0) {
        made = (*env)->NewString(env, (const jchar *)units, (jsize)(length / 2));
    }
    if (encoded) Py_DecRef(encoded);
    return made;
}

/* A value of Java for Python; a new reference, NULL with an error set. Python's lock is held. */
static PyObject *to_python(JNIEnv *env, jobject given) {
    if (!given) { Py_IncRef(NONE); return NONE; }
    if ((*env)->IsInstanceOf(env, given, boxes[STRING])) return text(env, given);
    if ((*env)->IsInstanceOf(env, given, boxes[BOOLEAN])) {
        PyObject *truth = (*env)->CallBooleanMethod(env, given, boolean_value) ? &_Py_TrueStruct : &_Py_FalseStruct;
        Py_IncRef(truth);
        return truth;
    }
    if ((*env)->IsInstanceOf(env, given, boxes[DOUBLE])) return PyFloat_FromDouble((*env)->CallDoubleMethod(env, given, double_value));
    if ((*env)->IsInstanceOf(env, given, boxes[LONGS])) return PyLong_FromLongLong((*env)->CallLongMethod(env, given, long_value));
    if ((*env)->IsInstanceOf(env, given, array_of_bytes)) {
        jbyte *bytes = (*env)->GetByteArrayElements(env, given, NULL);
        PyObject *made = PyBytes_FromStringAndSize((const char *)bytes, (*env)->GetArrayLength(env, given));
        (*env)->ReleaseByteArrayElements(env, given, bytes, JNI_ABORT);
        return made;
    }
    if ((*env)->IsInstanceOf(env, given, pyref)) {
        PyObject *object = (PyObject *)(size_t)(*env)->GetLongField(env, given, handle_of);
        PyObject *type = PyObject_Type(object);
        if (PyType_IsSubtype(type, &_PyWeakref_RefType)) object = PyWeakref_GetObject(object);
        Py_DecRef(type);
        Py_IncRef(object);
        return object;
    }
    if ((*env)->IsInstanceOf(env, given, array)) {
        jsize length = (*env)->GetArrayLength(env, given);
        PyObject *list = PyList_New(length);
        for (jsize i = 0; list && i < length; i++) {
            jobject one = (*env)->GetObjectArrayElement(env, given, i);
            PyObject *made = to_python(env, one);
            (*env)->DeleteLocalRef(env, one);
            if (!made) { Py_DecRef(list); return NULL; }
            PyList_SetItem(list, i, made);
        }
        return list;
    }
    return PyCapsule_New((*env)->NewGlobalRef(env, given), OBJECT, release_object);
}

static jobject to_java(JNIEnv *env, PyObject *given);

static jobjectArray row(JNIEnv *env, PyObject *given, int tuple) {
    Py_ssize_t length = tuple ? PyTuple_Size(given) : PyList_Size(given);
    jobjectArray made = (*env)->NewObjectArray(env, (jsize)length, anything, NULL);
    for (Py_ssize_t i = 0; i < length; i++) {
        jobject one = to_java(env, tuple ? PyTuple_GetItem(given, i) : PyList_GetItem(given, i));
        if (PyErr_Occurred()) return NULL;
        (*env)->SetObjectArrayElement(env, made, (jsize)i, one);
        (*env)->DeleteLocalRef(env, one);
    }
    return made;
}

/* A value of Python for Java, a local reference; NULL with an error set if it cannot be. Python's lock is held. */
static jobject to_java(JNIEnv *env, PyObject *given) {
    unsigned long flags;
    PyObject *type;
    if (given == NONE) return NULL;
    if (given == &_Py_TrueStruct || given == &_Py_FalseStruct) {
        return (*env)->CallStaticObjectMethod(env, boxes[BOOLEAN], of_boolean, (jboolean)(given == &_Py_TrueStruct));
    }
    if (PyCapsule_IsValid(given, OBJECT)) return (*env)->NewLocalRef(env, PyCapsule_GetPointer(given, OBJECT));
    type = PyObject_Type(given);
    flags = PyType_GetFlags(type);
    Py_DecRef(type);
    if (flags & UNICODE) return string(env, given);
    if (flags & LONG) {
        long long number = PyLong_AsLongLong(given);
        return PyErr_Occurred() ? NULL : (*env)->CallStaticObjectMethod(env, boxes[LONGS], of_long, (jlong)number);
    }
    if (flags & BYTES) {
        char *bytes;
        Py_ssize_t length;
        jbyteArray made;
        PyBytes_AsStringAndSize(given, &bytes, &length);
        made = (*env)->NewByteArray(env, (jsize)length);
        (*env)->SetByteArrayRegion(env, made, 0, (jsize)length, (const jbyte *)bytes);
        return made;
    }
    if (flags & (LIST | TUPLE)) return row(env, given, (flags & TUPLE) != 0);
    {
        PyObject *inner = PyObject_GetAttrString(given, "_java");
        if (inner) {
            jobject made = to_java(env, inner);
            Py_DecRef(inner);
            return made;
        }
        PyErr_Clear();
    }
    type = PyObject_Type(given);
    if (PyType_IsSubtype(type, &PyFloat_Type)) {
        Py_DecRef(type);
        return (*env)->CallStaticObjectMethod(env, boxes[DOUBLE], of_double, PyFloat_AsDouble(given));
    }
    Py_DecRef(type);
    Py_IncRef(given);
    return (*env)->NewObject(env, pyref, new_pyref, (jlong)(size_t)given);
}

/* Let go of what Java no longer holds. */
static void drain(JNIEnv *env) {
    jlong handle;
    while ((handle = (*env)->CallStaticLongMethod(env, pyref, next_released)) != 0) Py_DecRef((PyObject *)(size_t)handle);
}

/* invoke(what, target, name, arguments): Reflection.perform. */
static PyObject *invoke(PyObject *self, PyObject *given) {
    int what;
    PyObject *target, *name, *arguments, *answer = NULL;
    JNIEnv *env = here();
    jobject result = NULL;
    jthrowable fault;
    (void)self;
    if (!PyArg_ParseTuple(given, "iOOO", &what, &target, &name, &arguments)) return NULL;
    if ((*env)->PushLocalFrame(env, 32) != 0) return NULL;
    {
        jobject object = to_java(env, target), label = to_java(env, name);
        jobjectArray values = PyErr_Occurred() ? NULL : row(env, arguments, 1);
        if (values) {
            void *state = PyEval_SaveThread();
            result = (*env)->CallStaticObjectMethod(env, reflection, perform, (jint)what, object, label, values);
            fault = (*env)->ExceptionOccurred(env);
            (*env)->ExceptionClear(env);
            PyEval_RestoreThread(state);
            if (fault) {
                PyObject *capsule = PyCapsule_New((*env)->NewGlobalRef(env, fault), OBJECT, release_object);
                PyObject *raised = thrown ? PyObject_CallFunctionObjArgs(thrown, capsule, NULL) : NULL;
                if (raised) {
                    PyObject *type = PyObject_Type(raised);
                    PyErr_SetObject(type, raised);
                    Py_DecRef(type);
                    Py_DecRef(raised);
                } else if (!PyErr_Occurred()) {
                    PyErr_SetString(PyExc_RuntimeError, "Java threw");
                }
                Py_DecRef(capsule);
            } else {
                answer = to_python(env, result);
            }
        }
    }
    (*env)->PopLocalFrame(env, NULL);
    drain(env);
    return answer;
}

/* weak(object): a capsule with a PyRef that does not keep the object alive. */
static PyObject *weak(PyObject *self, PyObject *object) {
    JNIEnv *env = here();
    PyObject *reference = PyWeakref_NewRef(object, NULL), *capsule;
    jobject made;
    (void)self;
    if (!reference) return NULL;
    made = (*env)->NewObject(env, pyref, new_pyref, (jlong)(size_t)reference);
    capsule = PyCapsule_New((*env)->NewGlobalRef(env, made), OBJECT, release_object);
    (*env)->DeleteLocalRef(env, made);
    return capsule;
}

/* strong(object): the same, keeping it. */
static PyObject *strong(PyObject *self, PyObject *object) {
    JNIEnv *env = here();
    PyObject *capsule;
    jobject made;
    (void)self;
    Py_IncRef(object);
    made = (*env)->NewObject(env, pyref, new_pyref, (jlong)(size_t)object);
    capsule = PyCapsule_New((*env)->NewGlobalRef(env, made), OBJECT, release_object);
    (*env)->DeleteLocalRef(env, made);
    return capsule;
}

/* use(raise, wrap): raise(capsule) gives the exception for a Throwable; wrap(tuple) the arguments of a call. */
static PyObject *use(PyObject *self, PyObject *given) {
    (void)self;
    if (!PyArg_ParseTuple(given, "OO", &thrown, &wrapping)) return NULL;
    Py_IncRef(thrown);
    Py_IncRef(wrapping);
    Py_IncRef(NONE);
    return NONE;
}

static PyMethodDef methods[] = {
    {"invoke", invoke, 1, NULL}, {"weak", weak, 8, NULL}, {"strong", strong, 8, NULL}, {"use", use, 1, NULL},
    {NULL, NULL, 0, NULL},
};
static PyModuleDef module = {{1, NULL}, NULL, 0, NULL, "_bridge", NULL, -1, methods, NULL, NULL, NULL, NULL};

static PyObject *make_module(void) { return PyModule_Create2(&module, 1013); }

/* Turn the error of Python into one of Java, with its traceback. */
static void throw_error(JNIEnv *env) {
    PyObject *type, *value, *traceback, *helper, *format = NULL, *lines = NULL, *whole = NULL, *empty;
    jobject made;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    helper = PyImport_ImportModule("traceback");
    if (helper) format = PyObject_GetAttrString(helper, "format_exception");
    if (format) lines = PyObject_CallFunctionObjArgs(format, type, value, traceback ? traceback : NONE, NULL);
    empty = PyUnicode_FromString("");
    if (lines) whole = PyUnicode_Join(empty, lines);
    PyErr_Clear();
    made = (*env)->NewObject(env, error, new_error, whole ? string(env, whole) : NULL);
    (*env)->Throw(env, made);
}

JNIEXPORT void JNICALL Java_bluezone_phone_Python_start(JNIEnv *env, jclass unused, jstring path) {
    const char *given = (*env)->GetStringUTFChars(env, path, NULL);
    (void)unused;
    Py_UTF8Mode = 1;
    Py_NoSiteFlag = 1;
    Py_IgnoreEnvironmentFlag = 1;
    PyImport_AppendInittab("_bridge", make_module);
    Py_SetPath(Py_DecodeLocale(given, NULL));
    Py_InitializeEx(0);
    (*env)->ReleaseStringUTFChars(env, path, given);
    PyEval_SaveThread();
}

JNIEXPORT jobject JNICALL Java_bluezone_phone_Python_call(JNIEnv *env, jclass unused, jlong handle, jstring name, jobjectArray given) {
    int state = PyGILState_Ensure();
    PyObject *object = (PyObject *)(size_t)handle, *method = NULL, *arguments, *answer = NULL;
    const char *label = (*env)->GetStringUTFChars(env, name, NULL);
    jsize count = (*env)->GetArrayLength(env, given);
    jobject result = NULL;
    (void)unused;
    drain(env);
    if (!object) {
        answer = PyImport_ImportModule(label);
        if (answer) result = (*env)->NewObject(env, pyref, new_pyref, (jlong)(size_t)answer);  /* keeps the reference */
        else throw_error(env);
        (*env)->ReleaseStringUTFChars(env, name, label);
        PyGILState_Release(state);
        return result;
    }
    {
        PyObject *type = PyObject_Type(object);
        if (PyType_IsSubtype(type, &_PyWeakref_RefType)) object = PyWeakref_GetObject(object);
        Py_DecRef(type);
    }
    Py_IncRef(object);
    if (object != NONE) method = PyObject_GetAttrString(object, label);
    arguments = method ? PyTuple_New(count) : NULL;
    for (jsize i = 0; arguments && i < count; i++) {
        jobject one = (*env)->GetObjectArrayElement(env, given, i);
        PyObject *made = to_python(env, one);
        (*env)->DeleteLocalRef(env, one);
        if (!made) { Py_DecRef(arguments); arguments = NULL; break; }
        PyTuple_SetItem(arguments, i, made);
    }
    if (arguments) {
        PyObject *wrapped = wrapping ? PyObject_CallFunctionObjArgs(wrapping, arguments, NULL) : NULL;
        if (wrapped || !wrapping) answer = PyObject_CallObject(method, wrapped ? wrapped : arguments);
        if (wrapped) Py_DecRef(wrapped);
        Py_DecRef(arguments);
    }
    if (answer) result = to_java(env, answer);
    if (PyErr_Occurred()) throw_error(env);
    if (answer) Py_DecRef(answer);
    if (method) Py_DecRef(method);
    Py_DecRef(object);
    (*env)->ReleaseStringUTFChars(env, name, label);
    PyGILState_Release(state);
    return result;
}
