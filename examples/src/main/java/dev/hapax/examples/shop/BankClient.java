package dev.hapax.examples.shop;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;

/** Calls the bank. Safe for use by many threads. */
final class BankClient implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private final JsonMapper json = JsonMapper.shared();
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(1))
            .build();
    private final URI bank;

    BankClient(URI bank) {
        this.bank = bank;
    }

    /** The bank says that it has booked nothing. */
    static final class ClosedException extends IOException {
        private static final long serialVersionUID = 1L;

        ClosedException(String message) {
            super(message);
        }
    }

    /**
     * Charges or refunds.
     *
     * @param counter {@code charge} or {@code refund}
     * @param key what the bank calls this operation
     * @return the bank's reference
     * @throws ClosedException if nothing was booked
     * @throws IOException if nobody knows
     */
    String book(String counter, Payment payment, String key) throws IOException, InterruptedException {
        HttpResponse<String> response = http.send(
                HttpRequest.newBuilder(bank.resolve(counter))
                        .timeout(PATIENCE)
                        .header("Content-Type", "application/json")
                        .header("Idempotency-Key", key)
                        .POST(BodyPublishers.ofByteArray(json.writeValueAsBytes(payment)))
                        .build(),
                BodyHandlers.ofString());
        return switch (response.statusCode()) {
            case 201 -> reference(response);
            case 503 -> throw new ClosedException("the bank is closed");
            default -> throw new IOException("the bank answers " + response.statusCode());
        };
    }

    /** What was booked under the key, if anything was. */
    Optional<String> find(String key) throws IOException, InterruptedException {
        HttpResponse<String> response = http.send(
                HttpRequest.newBuilder(bank.resolve("booking/" + key))
                        .timeout(PATIENCE)
                        .build(),
                BodyHandlers.ofString());
        return switch (response.statusCode()) {
            case 200 -> Optional.of(reference(response));
            case 404 -> Optional.empty();
            default -> throw new IOException("the bank answers " + response.statusCode());
        };
    }

    private String reference(HttpResponse<String> response) {
        return json.readTree(response.body()).get("reference").asString();
    }

    @Override
    public void close() {
        http.shutdownNow();
    }
}
