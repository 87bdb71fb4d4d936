package dev.hapax.examples.shop;

import dev.hapax.Hapax;
import dev.hapax.consume.ConsumerBuilder;
import dev.hapax.consume.MessageTransaction;
import dev.hapax.kafka.KafkaSource;
import java.sql.SQLException;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Billing with Hapax: the balance, the ledger and the position in the log, or in Kafka, commit together, or not at all. */
final class HapaxBilling implements Billing {
    private final Hapax hapax;
    private final @Nullable HapaxPayments payments;

    HapaxBilling(DataSource database, Worker worker) {
        this.hapax = Hapax.on(database)
                .name("billing")
                .codec(Worker.codec())
                .clock(worker.clock())
                .open();
        BankAddress bank = worker.bank();
        this.payments = bank == null ? null : new HapaxPayments(hapax, bank);
        // All billing processes share the messages; when one is killed, the others take over its part within seconds.
        from(worker.broker()).handle(OrderPlaced.class, this::bill).start();
    }

    /** The handler is the same, wherever its messages come from. */
    private ConsumerBuilder from(@Nullable BrokerAccess broker) {
        ConsumerBuilder consumer = hapax.consumer(BillingWorker.CONSUMER);
        return broker == null
                ? consumer.topic(OrderPlaced.TOPIC)
                : consumer.from(KafkaSource.topic(broker.topic(), broker.consumerProperties())
                        .group(broker.topic() + "." + BillingWorker.CONSUMER));
    }

    private void bill(OrderPlaced placed, MessageTransaction tx) throws SQLException {
        ShopTables.addToBalance(tx.connection(), placed.customer(), placed.amount());
        ShopTables.insertLedger(tx.connection(), placed);
        if (payments != null) {
            Optional<ShopTables.Invoice> invoice = ShopTables.addToInvoice(tx.connection(), placed);
            if (invoice.isPresent()) {
                payments.settle(invoice.get(), tx);
            }
        }
    }

    @Override
    public void close() {
        if (payments != null) {
            payments.close();
        }
        hapax.close();
    }
}
