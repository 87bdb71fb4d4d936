package dev.hapax.tracing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hapax.Shop;
import dev.hapax.opentelemetry.OpenTelemetryTracing;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** A trace goes through the log: from the request that publishes to the effect of the consumer, and to what that publishes again. */
class TracingContractTest {

    private final InMemorySpanExporter exporter = InMemorySpanExporter.create();

    @Test
    void handling_a_message_continues_the_trace_of_its_publisher() throws Exception {
        try (SdkTracerProvider provider = SdkTracerProvider.builder()
                        .addSpanProcessor(SimpleSpanProcessor.create(exporter))
                        .build();
                Shop shop = Shop.open(b -> b.tracing(OpenTelemetryTracing.with(provider.get("test"))))) {
            Tracer tracer = provider.get("test");
            AtomicReference<String> inside = new AtomicReference<>();
            try (var first = shop.hapax
                            .consumer("first")
                            .topic("one")
                            .handle(String.class, (body, tx) -> {
                                inside.set(Span.current().getSpanContext().getSpanId());
                                tx.publish("two", "k", body);
                            })
                            .start();
                    var second = shop.hapax
                            .consumer("second")
                            .topic("two")
                            .quarantineAfter(2)
                            .backoff(Duration.ofMillis(1), Duration.ofMillis(2))
                            .handle(String.class, (body, tx) -> {
                                throw new IllegalStateException("secret payload");
                            })
                            .start()) {
                Span request = tracer.spanBuilder("request").startSpan();
                try (Scope current = request.makeCurrent()) {
                    shop.hapax.once(Shop.newKey()).run(tx -> tx.publish("one", "k", "body"));
                } finally {
                    request.end();
                }
                await().until(() -> exporter.getFinishedSpanItems().size() == 4);
                assertThat(first.name() + second.name()).isEqualTo("firstsecond");
                SpanData handled = span("process one");
                assertThat(handled.getKind()).isEqualTo(SpanKind.CONSUMER);
                assertThat(handled.getParentSpanId())
                        .isEqualTo(request.getSpanContext().getSpanId());
                assertThat(handled.getSpanId()).isEqualTo(inside.get());
                SpanData failed = span("process two");
                assertThat(failed.getParentSpanId()).isEqualTo(handled.getSpanId());
                assertThat(failed.getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
                assertThat(failed.getStatus().getDescription()).isEqualTo("java.lang.IllegalStateException");
                assertThat(exporter.getFinishedSpanItems())
                        .allSatisfy(span -> assertThat(span.getTraceId())
                                .isEqualTo(request.getSpanContext().getTraceId()));
            }
        }
    }

    private SpanData span(String name) {
        return exporter.getFinishedSpanItems().stream()
                .filter(span -> span.getName().equals(name))
                .findFirst()
                .orElseThrow();
    }
}
