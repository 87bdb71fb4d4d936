package dev.hapax.testkit.proof;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/** What lies outside the database during one run: made anew for it, and no part of any process. Its parts are used by as many threads as the processes have. */
final class World implements AutoCloseable {

    private final Map<Class<?>, Object> parts = new LinkedHashMap<>();

    World(Map<Class<?>, Supplier<?>> makers) {
        makers.forEach((type, maker) -> parts.put(type, maker.get()));
    }

    <W> W get(Class<W> type) {
        Object part = parts.get(type);
        if (part == null) {
            throw new IllegalArgumentException("the scenario has nothing of type " + type.getName()
                    + " outside; say .outside(" + type.getSimpleName() + ".class, …). There is " + parts.keySet());
        }
        return type.cast(part);
    }

    @Override
    public void close() throws Exception {
        for (Object part : parts.values()) {
            if (part instanceof AutoCloseable closeable) {
                closeable.close();
            }
        }
    }
}
