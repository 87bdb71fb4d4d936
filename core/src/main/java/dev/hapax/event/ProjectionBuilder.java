package dev.hapax.event;

/** Describes a projection. Got from {@link dev.hapax.Hapax#projection(String)}. Not safe for use by many threads. */
public interface ProjectionBuilder {

    /**
     * You may tune: only events of streams whose names begin so. Default: all.
     *
     * @param prefix 1 to 200 characters, such as {@code account/}
     */
    ProjectionBuilder streams(String prefix);

    /**
     * You must set, once or more: what becomes of events of a type. Events without a handler are passed over.
     *
     * @param type what the codec decodes the event to, exactly
     */
    <T> ProjectionBuilder handle(Class<T> type, ProjectionHandler<T> handler);

    /** You may tune: events of one transaction, 1 to {@value EventStream#EVENTS_MAX}. Default 500. */
    ProjectionBuilder page(int events);

    /**
     * Opens it. A new one begins at the first event.
     *
     * @throws IllegalStateException if it has no handler
     * @throws dev.hapax.RetryException if the database can't be reached
     */
    Projection open();
}
