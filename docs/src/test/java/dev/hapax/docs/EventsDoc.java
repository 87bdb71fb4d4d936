package dev.hapax.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hapax.Hapax;
import dev.hapax.Key;
import dev.hapax.VersionConflictException;
import dev.hapax.event.Event;
import dev.hapax.event.EventStream;
import dev.hapax.event.Projection;
import dev.hapax.json.JsonCodec;
import dev.hapax.once.Result;
import dev.hapax.once.Verdict;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class EventsDoc {

    private ShopDatabase shop;
    private Hapax hapax;

    // tag::types[]
    record Deposited(long amount) {}

    record Withdrawn(long amount) {}

    static final JsonCodec CODEC = JsonCodec.builder()
            .type("deposited.v1", Deposited.class)
            .type("withdrawn.v1", Withdrawn.class)
            .build();
    // end::types[]

    /** Not enough money. */
    static final class DeclinedException extends Exception {
        private static final long serialVersionUID = 1L;
    }

    @BeforeEach
    void start() throws SQLException {
        shop = ShopDatabase.create();
        shop.database.execute("CREATE TABLE balance (account text PRIMARY KEY, amount bigint NOT NULL)");
        hapax = Hapax.on(shop.pool).name("bank").codec(CODEC).open();
    }

    @AfterEach
    void close() {
        hapax.close();
        shop.close();
    }

    // tag::state[]
    /** What an account has come to. */
    record Account(long version, long balance) {

        static Account of(EventStream stream) {
            Account account = new Account(0, 0);
            List<Event> page = stream.read(1, 500);
            while (!page.isEmpty()) {
                for (Event event : page) {
                    account = account.after(event);
                }
                page = stream.read(account.version() + 1, 500);
            }
            return account;
        }

        Account after(Event event) {
            return switch (event.as(Object.class)) {
                case Deposited deposit -> new Account(event.version(), balance + deposit.amount());
                case Withdrawn withdrawal -> new Account(event.version(), balance - withdrawal.amount());
                default -> new Account(event.version(), balance);
            };
        }
    }
    // end::state[]

    // tag::deposit[]
    long deposit(String id, String command, long amount) {
        Result<Long> appended = hapax.events("account/" + id)
                .append(Key.of("account.deposit", command)) // the same on every retry
                .expectingAny()
                .events(new Deposited(amount));
        return appended.value(); // the stream's version; for a repeat, that of the first time
    }
    // end::deposit[]

    // tag::withdraw[]
    Verdict withdraw(String id, String command, long amount) throws DeclinedException {
        for (int tries = 1; ; tries++) {
            try {
                return hapax.once(Key.of("account.withdraw", command)).run(tx -> {
                    EventStream stream = hapax.events("account/" + id).on(tx.connection());
                    Account account = Account.of(stream);
                    if (account.balance() < amount) {
                        throw new DeclinedException();
                    }
                    stream.append(tx.key().child("events"))
                            .expecting(account.version())
                            .events(new Withdrawn(amount));
                });
            } catch (VersionConflictException conflict) {
                if (tries == 10) {
                    throw conflict;
                }
                // Somebody was faster: decide again.
            }
        }
    }
    // end::withdraw[]

    // tag::projection[]
    Projection balances() {
        return hapax.projection("balances")
                .streams("account/")
                .handle(Deposited.class, (deposit, event, connection) -> add(connection, event, deposit.amount()))
                .handle(
                        Withdrawn.class,
                        (withdrawal, event, connection) -> add(connection, event, -withdrawal.amount()))
                .open();
    }
    // end::projection[]

    private static void add(Connection connection, Event event, long amount) throws SQLException {
        try (PreparedStatement upsert = connection.prepareStatement(
                "INSERT INTO balance AS b (account, amount) VALUES (?, ?) ON CONFLICT (account) DO UPDATE SET amount = b.amount + excluded.amount")) {
            upsert.setString(1, event.stream());
            upsert.setLong(2, amount);
            upsert.executeUpdate();
        }
    }

    // tag::replay[]
    void rebuild(Projection balances) throws SQLException {
        balances.replayFrom(0, connection -> {
            try (Statement statement = connection.createStatement()) {
                statement.execute("DELETE FROM balance");
            }
        });
        balances.catchUp();
    }
    // end::replay[]

    private long balance() throws SQLException {
        return shop.database.queryLong("SELECT sum(amount) FROM balance");
    }

    @Test
    void commands_are_decided_on_versions_and_balances_can_be_made_again() throws Exception {
        assertThat(deposit("1", "d-1", 100)).isEqualTo(1);
        assertThat(deposit("1", "d-1", 100)).isEqualTo(1);
        assertThat(withdraw("1", "w-1", 70)).isEqualTo(Verdict.APPLIED);
        assertThat(withdraw("1", "w-1", 70)).isEqualTo(Verdict.REPLAYED);
        assertThatThrownBy(() -> withdraw("1", "w-2", 80)).isInstanceOf(DeclinedException.class);
        Projection balances = balances();
        assertThat(balances.catchUp()).isEqualTo(2);
        assertThat(balance()).isEqualTo(30);
        rebuild(balances);
        assertThat(balance()).isEqualTo(30);
        List<Object> all = new ArrayList<>();
        hapax.events("account/1").read(1, 10).forEach(event -> all.add(event.as(Object.class)));
        assertThat(all).containsExactly(new Deposited(100), new Withdrawn(70));
    }
}
