package dev.hapax.testkit.proof;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.UndeclaredThrowableException;
import org.jspecify.annotations.Nullable;

/** Another system, as one simulated process reaches it: before and after each call is a point. As safe for use by many threads as what it stands before. */
final class WatchedCalls implements InvocationHandler {

    private final Node node;
    private final String system;
    private final Object target;
    private final OutsideFaults faults;

    WatchedCalls(Node node, String system, Object target, OutsideFaults faults) {
        this.node = node;
        this.system = system;
        this.target = target;
        this.faults = faults;
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] args) throws Throwable {
        if (method.getDeclaringClass() == Object.class) {
            return switch (method.getName()) {
                case "hashCode" -> System.identityHashCode(proxy);
                case "equals" -> CrashSource.isSame(proxy, args);
                default -> system + " as process " + node.number() + " reaches it";
            };
        }
        try {
            return node.call(system, system + "." + method.getName(), faults, () -> target(method, args));
        } catch (Exception e) {
            throw declared(method, e);
        }
    }

    private @Nullable Object target(Method method, Object @Nullable [] args) throws Exception {
        // The interface may be one that only its own package sees, as a nested one of a test.
        method.trySetAccessible();
        try {
            return method.invoke(target, args);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof Exception exception) {
                throw exception;
            }
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw e;
        }
    }

    private static Exception declared(Method method, Exception e) {
        if (e instanceof RuntimeException) {
            return e;
        }
        for (Class<?> type : method.getExceptionTypes()) {
            if (type.isInstance(e)) {
                return e;
            }
        }
        return e instanceof IOException io ? new UncheckedIOException(io) : new UndeclaredThrowableException(e);
    }
}
