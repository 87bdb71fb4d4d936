package dev.hapax.kafka;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.Hapax;
import dev.hapax.consume.Consumer;
import dev.hapax.testkit.ChildJvm;

/** A consumer in a process of its own. */
public final class SourceWorkerMain {

    private SourceWorkerMain() {}

    /** Database, broker, topic. */
    public static void main(String[] args) throws Exception {
        ChildJvm.endWithParent();
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(args[0]);
        config.setMaximumPoolSize(4);
        try (HikariDataSource pool = new HikariDataSource(config);
                Hapax hapax = SourceFixture.open(pool);
                Consumer running = hapax.consumer("billing")
                        .from(KafkaSource.topic(args[2], SourceFixture.properties(args[1]))
                                .decode(SourceFixture::text))
                        .batch(50)
                        .handle(String.class, (body, tx) -> SourceFixture.insert(tx.connection(), tx.message(), body))
                        .start()) {
            System.out.println("consuming");
            Thread.currentThread().join();
        }
    }
}
