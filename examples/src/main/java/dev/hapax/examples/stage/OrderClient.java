package dev.hapax.examples.stage;

import dev.hapax.examples.shop.OrderLine;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import tools.jackson.databind.json.JsonMapper;

/**
 * Sends order lines to the shop, each until it is answered: after every failure again, to any process, <strong>with the same key</strong>. That is all
 * that a client has to do.
 *
 * <p>Thread-safe.
 */
public final class OrderClient implements AutoCloseable {
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration GIVE_UP = Duration.ofMinutes(2);
    private static final long PAUSE_FIRST_MILLIS = 10;
    private static final long PAUSE_MAX_MILLIS = 500;

    /** Where shop processes answer. */
    public interface Shops {
        /**
         * Waits until there is one.
         *
         * @param pick chooses among them
         * @return where it takes orders
         * @throws InterruptedException if this thread is interrupted
         */
        URI shop(int pick) throws InterruptedException;
    }

    private final JsonMapper json = JsonMapper.shared();
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(2))
            .build();
    private final AtomicInteger turn = new AtomicInteger();
    private final OrderBook orders;
    private final Chance chance;
    private final Shops shops;
    private final Tally tally;
    private final Progress progress;

    /**
     * A client that has sent nothing yet.
     *
     * @param orders what it orders
     * @param chance its keys, and what it repeats
     * @param shops where it orders
     * @param tally gets what it sees
     * @param progress is told of first answers
     */
    public OrderClient(OrderBook orders, Chance chance, Shops shops, Tally tally, Progress progress) {
        this.orders = orders;
        this.chance = chance;
        this.shops = shops;
        this.tally = tally;
        this.progress = progress;
    }

    /** Places a line, and repeats it as the seed says, except for much later. */
    void place(int line) throws InterruptedException {
        switch (chance.repeat(line)) {
            case NONE, MUCH_LATER -> ask(line);
            case AT_ONCE -> {
                ask(line);
                ask(line);
            }
            case AFTER_TIMEOUT -> {
                tryOnce(line, Duration.ofMillis(chance.impatienceMillis(line)));
                ask(line);
            }
            case IN_PARALLEL -> inParallel(line);
        }
    }

    private void inParallel(int line) throws InterruptedException {
        FutureTask<Void> twin = new FutureTask<>(() -> {
            ask(line);
            return null;
        });
        Thread.ofVirtual().start(twin);
        ask(line);
        try {
            twin.get();
        } catch (ExecutionException failed) {
            throw new RunException("a request failed: " + failed.getCause(), failed);
        }
    }

    /**
     * Asks until there is an answer that is one.
     *
     * @param line its number; one that has been asked for before is a repeat, with the same key
     * @throws RunException if there is no answer for minutes
     * @throws InterruptedException if this thread is interrupted
     */
    public void ask(int line) throws InterruptedException {
        long deadline = System.nanoTime() + GIVE_UP.toNanos();
        SplittableRandom jitter = new SplittableRandom(chance.key(line).getLeastSignificantBits());
        long pause = PAUSE_FIRST_MILLIS;
        while (!tryOnce(line, ANSWER_TIMEOUT)) {
            progress.check();
            if (System.nanoTime() - deadline >= 0) {
                throw new RunException(
                        "the line " + orders.line(line).name() + " has had no answer for " + GIVE_UP, null);
            }
            TimeUnit.MILLISECONDS.sleep(1 + jitter.nextLong(pause));
            pause = Math.min(PAUSE_MAX_MILLIS, pause * 2);
        }
    }

    /** One request; false if nobody knows what became of it, or it is to be asked again. */
    private boolean tryOnce(int line, Duration timeout) throws InterruptedException {
        HttpRequest request = request(line, timeout);
        tally.sending(line);
        try {
            HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
            return switch (response.statusCode()) {
                case 200, 201 -> {
                    boolean replay = response.headers()
                            .firstValue("Idempotency-Replayed")
                            .isPresent();
                    if (tally.answered(line, response.body(), replay)) {
                        progress.lineAnswered();
                    }
                    yield true;
                }
                case 409, 503 -> false;
                default -> {
                    if (tally.refused(line, response.statusCode(), response.body())) {
                        progress.lineAnswered();
                    }
                    yield true;
                }
            };
        } catch (IOException noAnswer) {
            // A process that is gone, or a time that is up: it may have been done, or not. The key makes it safe to
            // ask.
            return false;
        }
    }

    private HttpRequest request(int line, Duration timeout) throws InterruptedException {
        OrderLine order = orders.line(line);
        return HttpRequest.newBuilder(shops.shop(turn.getAndIncrement()))
                .timeout(timeout)
                .header("Content-Type", "application/json")
                .header("Idempotency-Key", "\"" + chance.key(line) + "\"")
                .POST(BodyPublishers.ofByteArray(json.writeValueAsBytes(order)))
                .build();
    }

    @Override
    public void close() {
        http.shutdownNow();
    }
}
