package dev.hapax.examples.stage;

import dev.hapax.examples.bank.BankServer;
import dev.hapax.examples.shop.BankAddress;
import dev.hapax.testkit.ChildJvm;
import dev.hapax.testkit.TestDatabase;
import java.net.URI;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.TimeoutException;

/** The bank's process, and its database beside the shop's. Nobody kills it: it isn't ours. Thread-safe. */
public final class Bank implements AutoCloseable {
    private static final Duration START_TIMEOUT = Duration.ofSeconds(60);
    private static final String DATABASE = "bank";
    private static final int HEAP_MEBIBYTES = 96;

    private final TestDatabase books;
    private final ChildJvm process;
    private final BankAddress address;

    private Bank(TestDatabase books, ChildJvm process, BankAddress address) {
        this.books = books;
        this.process = process;
        this.address = address;
    }

    /**
     * Opens a bank with empty books.
     *
     * @param database on whose server it keeps its own database
     * @param honoursKeys whether a second request with a key books nothing there; if not, it can be asked
     * @param seed decides how it treats its callers
     * @return the open bank
     * @throws RunException if it doesn't open
     * @throws InterruptedException if this thread is interrupted
     */
    public static Bank open(ShopDatabase database, boolean honoursKeys, long seed) throws InterruptedException {
        TestDatabase books = database.server().database(DATABASE);
        try {
            books.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
            books.execute(ShopDatabase.read("bank.sql"));
        } catch (SQLException failure) {
            throw new RunException("the bank's tables could not be created: " + failure.getMessage(), failure);
        }
        ChildJvm process = ChildJvm.of(BankServer.class)
                .name("bank")
                .heap(HEAP_MEBIBYTES)
                .arguments(BankServer.arguments(books.jdbcUrl(), honoursKeys, seed))
                .start();
        try {
            String ready = process.awaitLine("ready ", START_TIMEOUT);
            URI uri = URI.create(ready.substring("ready ".length()));
            return new Bank(books, process, new BankAddress(uri, honoursKeys));
        } catch (TimeoutException notReady) {
            process.close();
            throw new RunException("the bank did not open: " + notReady.getMessage(), notReady);
        }
    }

    /** {@return where it answers, and how it behaves} */
    public BankAddress address() {
        return address;
    }

    /**
     * Looks into its books.
     *
     * @return a connection of its own, to be closed
     * @throws SQLException if the server can't be reached
     */
    public Connection connect() throws SQLException {
        return books.dataSource().getConnection();
    }

    @Override
    public void close() {
        process.close();
        books.close();
    }
}
