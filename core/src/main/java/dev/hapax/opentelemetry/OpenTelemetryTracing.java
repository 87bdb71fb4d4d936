package dev.hapax.opentelemetry;

import dev.hapax.spi.Tracing;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import org.jspecify.annotations.Nullable;

/**
 * Carries the trace context by the OpenTelemetry API: a message remembers the span that published it, and handling it is a consumer span that
 * continues it.
 *
 * <p>Safe for use by many threads.
 */
public final class OpenTelemetryTracing implements Tracing {

    private static final int TRACEPARENT_LENGTH = 55;

    private final Tracer tracer;

    private OpenTelemetryTracing(Tracer tracer) {
        this.tracer = tracer;
    }

    /** Makes spans with the given tracer. */
    public static OpenTelemetryTracing with(Tracer tracer) {
        return new OpenTelemetryTracing(tracer);
    }

    @Override
    public @Nullable String traceparent() {
        SpanContext current = Span.current().getSpanContext();
        if (!current.isValid()) {
            return null;
        }
        return "00-" + current.getTraceId() + "-" + current.getSpanId() + "-"
                + current.getTraceFlags().asHex();
    }

    @Override
    public void handling(String consumer, String topic, @Nullable String traceparent, Work work) throws Exception {
        Span span = tracer.spanBuilder("process " + topic)
                .setSpanKind(SpanKind.CONSUMER)
                .setParent(parent(traceparent))
                .setAttribute("messaging.system", "hapax")
                .setAttribute("messaging.operation.type", "process")
                .setAttribute("messaging.destination.name", topic)
                .setAttribute("messaging.consumer.group.name", consumer)
                .startSpan();
        try (Scope current = span.makeCurrent()) {
            work.run();
        } catch (Throwable failure) {
            // The class only: a message may quote a payload.
            span.setStatus(StatusCode.ERROR, failure.getClass().getName());
            throw failure;
        } finally {
            span.end();
        }
    }

    /** Parses {@code 00-traceid-spanid-flags} (W3C Trace Context, section 3.2); what doesn't fit starts a new trace. */
    private static Context parent(@Nullable String traceparent) {
        if (traceparent == null || traceparent.length() != TRACEPARENT_LENGTH || !traceparent.startsWith("00-")) {
            return Context.root();
        }
        SpanContext remote = SpanContext.createFromRemoteParent(
                traceparent.substring(3, 35),
                traceparent.substring(36, 52),
                TraceFlags.fromHex(traceparent, 53),
                TraceState.getDefault());
        return Context.root().with(Span.wrap(remote));
    }
}
