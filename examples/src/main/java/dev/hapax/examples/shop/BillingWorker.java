package dev.hapax.examples.shop;

import com.zaxxer.hikari.HikariDataSource;

/**
 * A billing process. Arguments: those of a {@link Worker}. Prints {@code ready} when it works.
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
     * @param worker the database, and how it works
     */
    public BillingWorker(Worker worker) {
        this.pool = worker.pool(CONNECTIONS);
        this.billing = worker.naive() ? new NaiveBilling(pool, worker.bank()) : new HapaxBilling(pool, worker);
    }

    /**
     * Runs until SIGTERM, or until the process that started it is gone.
     *
     * @param args as {@link Worker#arguments()} gives them
     */
    public static void main(String[] args) {
        BillingWorker billing = new BillingWorker(Worker.begin(args));
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
