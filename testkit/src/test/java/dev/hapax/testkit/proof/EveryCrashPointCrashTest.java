package dev.hapax.testkit.proof;

import dev.hapax.Hapax;
import dev.hapax.Key;
import java.sql.PreparedStatement;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** The annotation, as a user would write it. */
@Tag("slow")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class EveryCrashPointCrashTest {

    @EveryCrashPoint(
            variations = {Variation.REPEATED, Variation.OTHER_KEYS},
            samples = 20,
            pairs = 30)
    void a_payment_is_taken_once_wherever_it_dies(Proof proof) {
        proof.of(node -> Hapax.on(node.dataSource())
                        .name("shop")
                        .housekeeping(false)
                        .attempts(3)
                        .open())
                .tables("CREATE TABLE payment (id text NOT NULL, amount numeric NOT NULL)")
                .operations(
                        1,
                        (hapax, operation) -> hapax.once(
                                        Key.of("payments", operation.id()).at(operation.time()))
                                .run(tx -> {
                                    try (PreparedStatement insert = tx.connection()
                                            .prepareStatement("INSERT INTO payment (id, amount) VALUES (?, 10)")) {
                                        insert.setString(1, operation.id());
                                        insert.executeUpdate();
                                    }
                                }))
                .counts("payment", "SELECT id, count(*) FROM payment GROUP BY id");
    }
}
