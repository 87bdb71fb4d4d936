package dev.hapax.spi;

import org.jspecify.annotations.Nullable;

/**
 * Carries the W3C trace context through the log: its {@code traceparent}. What vendors keep in {@code tracestate} is not carried; a message's handling continues the trace without it. {@link dev.hapax.opentelemetry.OpenTelemetryTracing} is the implementation to use; the
 * default carries nothing.
 *
 * <p>Implementations must be safe for use by many threads and must not throw.
 */
public interface Tracing {

    /** The tracing that carries nothing. */
    Tracing NONE = new Tracing() {
        @Override
        public @Nullable String traceparent() {
            return null;
        }

        @Override
        public void handling(String consumer, String topic, @Nullable String traceparent, Work work) throws Exception {
            work.run();
        }
    };

    /** The {@code traceparent} of the current span (W3C Trace Context, 55 characters), or null without one. */
    @Nullable
    String traceparent();

    /**
     * Runs the handling of one message in a span that continues its publisher's.
     *
     * @throws Exception what the work throws
     */
    void handling(String consumer, String topic, @Nullable String traceparent, Work work) throws Exception;

    /** What is done in a span. */
    @FunctionalInterface
    interface Work {
        void run() throws Exception;
    }
}
