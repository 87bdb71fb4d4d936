package dev.hapax.examples.bank;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import dev.hapax.examples.bank.Manners.Manner;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Where the bank takes requests. {@code POST /charge} and {@code POST /refund} with an {@code Idempotency-Key} header and {@code {"invoice","account","amount"}} as JSON: 201 with a reference, or 503, and
 * then nothing was booked. {@code GET /booking/KEY}: 200 with the reference of what was booked under the key, or 404.
 */
final class Counter implements HttpHandler {
    private static final Logger LOG = LoggerFactory.getLogger(Counter.class);
    private static final int BODY_MAX = 4 * 1024;
    private static final int KEY_MAX = 200;
    private static final String BOOKING = "/booking/";

    private final JsonMapper json = JsonMapper.shared();
    private final Books books;
    private final Manners manners;

    Counter(Books books, Manners manners) {
        this.books = books;
        this.manners = manners;
    }

    /** What a caller sends. */
    private record Payment(
            @Nullable String invoice,
            @Nullable String account,
            @Nullable BigDecimal amount) {

        Books.Order order(String kind, String key) {
            if (invoice == null || account == null || amount == null || amount.signum() <= 0) {
                throw new IllegalArgumentException("something is missing");
            }
            return new Books.Order(kind, key, invoice, account, amount);
        }
    }

    @Override
    public void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            if (exchange.getRequestMethod().equals("GET") && path.startsWith(BOOKING)) {
                Optional<String> reference = books.find(path.substring(BOOKING.length()));
                answer(exchange, reference.isPresent() ? 200 : 404, reference.orElse("nothing was booked"));
            } else if (exchange.getRequestMethod().equals("POST")
                    && (path.equals("/charge") || path.equals("/refund"))) {
                book(exchange, path.substring(1));
            } else {
                answer(exchange, 404, "there is no such counter");
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        } catch (SQLException failure) {
            LOG.warn("the bank's books can't be reached: {}", failure.toString());
        }
    }

    private void book(HttpExchange exchange, String kind) throws IOException, InterruptedException, SQLException {
        long since = System.nanoTime();
        String key = exchange.getRequestHeaders().getFirst("Idempotency-Key");
        byte[] body = exchange.getRequestBody().readNBytes(BODY_MAX + 1);
        if (key == null || key.isEmpty() || key.length() > KEY_MAX || body.length > BODY_MAX) {
            answer(exchange, 400, "the header Idempotency-Key is missing or too long, or the body is too large");
            return;
        }
        Books.Order order;
        try {
            order = json.readValue(body, Payment.class).order(kind, key);
        } catch (JacksonException | IllegalArgumentException broken) {
            answer(exchange, 400, "the body is not a payment: invoice, account and an amount above 0");
            return;
        }
        book(exchange, order, manners.next(key), since);
    }

    private void book(HttpExchange exchange, Books.Order order, Manners.Turn turn, long since)
            throws IOException, InterruptedException, SQLException {
        TimeUnit.MILLISECONDS.sleep(turn.millis());
        if (turn.manner() == Manner.FAILS) {
            answer(exchange, 503, "the counter is closed; nothing was booked");
            return;
        }
        String reference = books.book(order, since + BankServer.BOOKS_WITHIN.toNanos());
        if (reference == null) {
            answer(exchange, 503, "the request has lain too long; nothing was booked");
            return;
        }
        switch (turn.manner()) {
            case DROPS_THE_ANSWER -> {} // closing the exchange closes the connection
            case ANSWERS_LATE -> {
                TimeUnit.MILLISECONDS.sleep(Manners.LATE_MILLIS);
                answer(exchange, 201, reference);
            }
            default -> answer(exchange, 201, reference);
        }
    }

    private void answer(HttpExchange exchange, int status, String text) throws IOException {
        byte[] body = json.writeValueAsString(Map.of(status < 300 ? "reference" : "error", text))
                .getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
    }
}
