package dev.hapax.examples.shop;

import com.zaxxer.hikari.HikariDataSource;

/**
 * A billing process. Arguments: the JDBC URL, and {@code --naive} for the one without Hapax. Prints {@code ready} when it works.
 *
 * <p>Thread-safe.
 */
public final class BillingWorker implements AutoCloseable {
    /** The consumer's name, under which its position is kept. */
    public static final String CONSUMER = "billing";

    private static final int CONNECTIONS = 4;

    private final HikariDataSource pool;
    private final Billing billing;

    /**
     * Begins to work on the shop's messages.
     *
     * @param jdbcUrl the database
     * @param naive whether it does without Hapax
     */
    public BillingWorker(String jdbcUrl, boolean naive) {
        this.pool = Worker.pool(jdbcUrl, CONNECTIONS);
        this.billing = naive ? new NaiveBilling(pool) : new HapaxBilling(pool, Worker.codec());
    }

    /**
     * Runs until SIGTERM, or until the process that started it is gone.
     *
     * @param args the JDBC URL, and {@code --naive} or nothing
     */
    public static void main(String[] args) {
        Worker worker = Worker.begin(args);
        BillingWorker billing = new BillingWorker(worker.jdbcUrl(), worker.naive());
        Worker.atTheEnd(billing::close);
        Worker.ready("billing");
    }

    /** Finishes what it has begun, then stops. */
    @Override
    public void close() {
        billing.close();
        pool.close();
    }
}
