package dev.hapax.testkit.proof;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The data source of a simulated process: real connections, whose statements and commits pass points. Safe for use by many threads. */
final class CrashSource implements InvocationHandler {

    private final Node node;

    private CrashSource(Node node) {
        this.node = node;
    }

    static DataSource of(Node node) {
        return proxy(DataSource.class, new CrashSource(node));
    }

    static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] args) throws SQLException {
        return switch (method.getName()) {
            case "getConnection" -> proxy(Connection.class, new CrashConnection(node, node.take()));
            case "getLoginTimeout" -> 0;
            case "isWrapperFor" -> false;
            case "hashCode" -> System.identityHashCode(proxy);
            case "equals" -> CrashSource.isSame(proxy, args);
            case "toString" -> "data source of process " + node.number();
            default -> throw new SQLFeatureNotSupportedException(method.getName());
        };
    }

    /** What equals says of a proxy. */
    @SuppressWarnings("ReferenceEquality")
    static boolean isSame(Object proxy, Object @Nullable [] args) {
        return args != null && proxy == args[0];
    }

    /** Calls the real thing; what it throws comes out as it is. */
    static @Nullable Object call(Object target, Method method, Object @Nullable [] args) throws SQLException {
        try {
            return method.invoke(target, args);
        } catch (InvocationTargetException e) {
            Throwable cause = e.getCause();
            if (cause instanceof SQLException sql) {
                throw sql;
            }
            if (cause instanceof RuntimeException unchecked) {
                throw unchecked;
            }
            if (cause instanceof Error error) {
                throw error;
            }
            throw new IllegalStateException(cause);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }
}
