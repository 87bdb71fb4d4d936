package dev.hapax.examples.shop;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import dev.hapax.InProgressException;
import dev.hapax.KeyReusedException;
import dev.hapax.RetryException;
import dev.hapax.TooEarlyException;
import dev.hapax.TooLateException;
import dev.hapax.once.Result;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * POST with an {@code Idempotency-Key} header and an order line as JSON. Answers 201 with the receipt when the line took effect now, 200 with the first
 * receipt and {@code Idempotency-Replayed: true} when it had before.
 *
 * <p>409 and 503 mean: ask again with the same key. 400, 410, 413 and 422 mean: don't.
 */
final class OrderHandler implements HttpHandler {
    private static final Logger LOG = LoggerFactory.getLogger(OrderHandler.class);
    private static final int BODY_MAX = 16 * 1024;
    private static final int IN_FLIGHT_MAX = 64;

    private final JsonMapper json = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
            .build();
    private final Semaphore inFlight = new Semaphore(IN_FLIGHT_MAX);
    private final Orders orders;

    OrderHandler(Orders orders) {
        this.orders = orders;
    }

    /** What is sent back. */
    private record Answer(int status, Object body, boolean replayed) {
        static Answer refusal(int status, @Nullable String why) {
            return new Answer(status, Map.of("error", String.valueOf(why)), false);
        }
    }

    @Override
    public void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            if (!inFlight.tryAcquire()) {
                send(exchange, Answer.refusal(503, "more than " + IN_FLIGHT_MAX + " requests are in flight"));
                return;
            }
            try {
                send(exchange, answer(exchange));
            } finally {
                inFlight.release();
            }
        }
    }

    private Answer answer(HttpExchange exchange) throws IOException {
        if (!exchange.getRequestMethod().equals("POST")) {
            return Answer.refusal(405, "order lines are posted");
        }
        String key = key(exchange.getRequestHeaders());
        if (key == null) {
            return Answer.refusal(400, "the header Idempotency-Key is missing, or not a quoted string");
        }
        byte[] body = exchange.getRequestBody().readNBytes(BODY_MAX + 1);
        if (body.length > BODY_MAX) {
            return Answer.refusal(413, "the body is larger than " + BODY_MAX + " bytes");
        }
        try {
            return place(key, json.readValue(body, OrderLine.class));
        } catch (JacksonException broken) {
            return Answer.refusal(400, "the body is not an order line: " + broken.getOriginalMessage());
        }
    }

    private Answer place(String key, OrderLine order) {
        try {
            Result<Receipt> result = orders.place(key, order);
            return new Answer(result.isApplied() ? 201 : 200, result.value(), !result.isApplied());
        } catch (InProgressException wait) {
            return Answer.refusal(409, wait.getMessage());
        } catch (KeyReusedException other) {
            return Answer.refusal(422, other.getMessage());
        } catch (TooLateException | TooEarlyException outside) {
            return Answer.refusal(410, outside.getMessage());
        } catch (RetryException again) {
            return Answer.refusal(503, again.getMessage());
        } catch (IllegalArgumentException bad) {
            return Answer.refusal(400, bad.getMessage());
        } catch (SQLException | RuntimeException failure) {
            // The client is told that it may ask again, which is safe with a key; the details are for this side only.
            LOG.warn("order line {} failed", order.name(), failure);
            return Answer.refusal(503, "the order line could not be placed");
        }
    }

    /** A structured-field string, as the IETF's draft has it: {@code Idempotency-Key: "…"}. */
    private static @Nullable String key(Headers headers) {
        String value = headers.getFirst("Idempotency-Key");
        if (value == null || value.length() < 3 || !value.startsWith("\"") || !value.endsWith("\"")) {
            return null;
        }
        String key = value.substring(1, value.length() - 1);
        return key.contains("\"") || key.contains("\\") ? null : key;
    }

    private void send(HttpExchange exchange, Answer answer) throws IOException {
        byte[] body = json.writeValueAsString(answer.body()).getBytes(StandardCharsets.UTF_8);
        Headers headers = exchange.getResponseHeaders();
        headers.set("Content-Type", "application/json");
        if (answer.replayed()) {
            headers.set("Idempotency-Replayed", "true");
        }
        if (answer.status() == 409 || answer.status() == 503) {
            headers.set("Retry-After", "1");
        }
        exchange.sendResponseHeaders(answer.status(), body.length);
        exchange.getResponseBody().write(body);
    }
}
