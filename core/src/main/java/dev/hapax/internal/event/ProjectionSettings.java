package dev.hapax.internal.event;

import dev.hapax.event.EventStream;
import dev.hapax.event.Projection;
import dev.hapax.event.ProjectionBuilder;
import dev.hapax.event.ProjectionHandler;
import dev.hapax.internal.Checks;
import dev.hapax.internal.Retries;
import java.util.LinkedHashMap;
import java.util.Map;

/** The settings of a projection, as they are gathered. */
final class ProjectionSettings implements ProjectionBuilder {

    private static final int PAGE = 500;

    final String name;
    final Map<Class<?>, ProjectionHandler<?>> handlers = new LinkedHashMap<>();
    String prefix = "";
    int page = PAGE;
    private final ProjectionStore store;
    private final Retries retries;

    ProjectionSettings(String name, ProjectionStore store, Retries retries) {
        this.name = name;
        this.store = store;
        this.retries = retries;
    }

    @Override
    public ProjectionBuilder streams(String start) {
        prefix = Checks.id("the prefix of streams", start);
        return this;
    }

    @Override
    public <T> ProjectionBuilder handle(Class<T> type, ProjectionHandler<T> handler) {
        Checks.that(
                handlers.putIfAbsent(type, handler) == null,
                "projection %s has two handlers for %s",
                name,
                type.getName());
        return this;
    }

    @Override
    public ProjectionBuilder page(int events) {
        page = Checks.range("page", events, 1, EventStream.EVENTS_MAX);
        return this;
    }

    @Override
    public Projection open() {
        Checks.state(!handlers.isEmpty(), "projection %s has no handler; call .handle(type, handler)", name);
        return StoredProjection.open(this, store, retries);
    }
}
