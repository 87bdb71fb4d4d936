package dev.hapax.examples.shop;

import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Billing as it is often written: takes a batch, acknowledges it, then works on it. Many processes can do so side by side, and no message is ever
 * taken twice; but what a process had taken and not yet done when it was killed is lost.
 */
final class NaiveBilling implements Billing {
    private static final Logger LOG = LoggerFactory.getLogger(NaiveBilling.class);
    private static final int BATCH = 100;
    private static final long IDLE_MILLIS = 50;
    private static final long STOP_SECONDS = 10;

    private static final int CALLS = 3;

    private final DataSource database;
    private final @Nullable BankClient bank;
    private final CountDownLatch stop = new CountDownLatch(1);
    private final Thread thread = Thread.ofPlatform().name("naive-billing").unstarted(this::work);

    NaiveBilling(DataSource database, @Nullable BankAddress address) {
        this.database = database;
        this.bank = address == null ? null : new BankClient(address.uri());
        thread.start();
    }

    private void work() {
        try {
            boolean more = true;
            while (!stop.await(more ? 0 : IDLE_MILLIS, TimeUnit.MILLISECONDS)) {
                more = round();
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean round() throws InterruptedException {
        try (Connection connection = database.getConnection()) {
            List<OrderPlaced> batch = take(connection);
            for (OrderPlaced placed : batch) {
                bill(connection, placed);
            }
            return !batch.isEmpty();
        } catch (SQLException failure) {
            LOG.warn("naive billing goes on after a failure: {}", failure.toString());
            return false;
        }
    }

    /** Takes the oldest messages; when this returns, they are acknowledged. */
    private static List<OrderPlaced> take(Connection connection) throws SQLException {
        List<OrderPlaced> batch = new ArrayList<>();
        try (PreparedStatement delete = connection.prepareStatement("""
                DELETE FROM shop.outbox WHERE id IN (
                    SELECT id FROM shop.outbox ORDER BY id LIMIT ? FOR UPDATE SKIP LOCKED)
                RETURNING invoice, line, lines, customer, amount""")) {
            delete.setInt(1, BATCH);
            try (ResultSet row = delete.executeQuery()) {
                while (row.next()) {
                    batch.add(new OrderPlaced(
                            row.getString(1), row.getInt(2), row.getInt(3), row.getString(4), row.getBigDecimal(5)));
                }
            }
        }
        return batch;
    }

    private void bill(Connection connection, OrderPlaced placed) throws SQLException, InterruptedException {
        connection.setAutoCommit(false);
        Optional<ShopTables.Invoice> invoice = Optional.empty();
        try {
            ShopTables.addToBalance(connection, placed.customer(), placed.amount());
            ShopTables.insertLedger(connection, placed);
            if (bank != null) {
                invoice = ShopTables.addToInvoice(connection, placed);
            }
            connection.commit();
        } catch (SQLException failure) {
            connection.rollback();
            throw failure;
        } finally {
            connection.setAutoCommit(true);
        }
        if (bank != null && invoice.isPresent()) {
            pay(bank, invoice.get());
        }
    }

    /** Calls again when there is no answer, under a new key: who has not been answered has not been heard. */
    private static void pay(BankClient bank, ShopTables.Invoice invoice) throws InterruptedException {
        Payment payment = new Payment(
                invoice.number(), invoice.customer(), invoice.amount().abs());
        if (payment.amount().signum() == 0) {
            return;
        }
        String counter = invoice.amount().signum() > 0 ? "charge" : "refund";
        for (int call = 1; call <= CALLS; call++) {
            try {
                bank.book(counter, payment, invoice.number() + "-" + call);
                return;
            } catch (IOException noAnswer) {
                LOG.warn("the bank has not answered: {}", noAnswer.toString());
            }
        }
    }

    @Override
    public void close() {
        stop.countDown();
        try (BankClient called = bank) {
            if (!thread.join(Duration.ofSeconds(STOP_SECONDS))) {
                LOG.warn("naive billing did not end its batch within {} s", STOP_SECONDS);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
