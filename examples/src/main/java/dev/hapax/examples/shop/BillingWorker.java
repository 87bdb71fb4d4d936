package dev.hapax.examples.shop;

import com.zaxxer.hikari.HikariDataSource;

/** A billing process. Arguments: the JDBC URL, and {@code --naive} for the one without Hapax. Prints {@code ready} when it works. */
public final class BillingWorker {
    /** The consumer's name, under which its position is kept. */
    public static final String CONSUMER = "billing";

    private static final int CONNECTIONS = 4;

    private BillingWorker() {}

    /**
     * Runs until SIGTERM, or until the process that started it is gone.
     *
     * @param args the JDBC URL, and {@code --naive} or nothing
     */
    public static void main(String[] args) {
        Worker worker = Worker.begin(args);
        HikariDataSource pool = worker.pool(CONNECTIONS);
        Billing billing = worker.isNaive() ? new NaiveBilling(pool) : new HapaxBilling(pool, Worker.codec());
        Worker.atTheEnd(() -> {
            billing.close();
            pool.close();
        });
        Worker.ready("billing");
    }
}
