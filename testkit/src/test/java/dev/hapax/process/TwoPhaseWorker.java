package dev.hapax.process;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.hapax.Hapax;
import dev.hapax.RetryException;
import dev.hapax.Shop;
import dev.hapax.testkit.ChildJvm;
import java.util.ArrayList;
import java.util.List;
import org.postgresql.xa.PGXADataSource;

/** A child process that applies operations in two databases, from several threads. */
public final class TwoPhaseWorker {

    private static final int THREADS = 4;

    private TwoPhaseWorker() {}

    /** @param args the URLs of the home and of the ledger, and how many operations */
    public static void main(String[] args) throws Exception {
        ChildJvm.endWithParent();
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(args[0]);
        config.setMaximumPoolSize(THREADS + 3);
        PGXADataSource ledger = new PGXADataSource();
        ledger.setUrl(args[1]);
        int operations = Integer.parseInt(args[2]);
        try (HikariDataSource pool = new HikariDataSource(config);
                Hapax hapax = Shop.builder(pool).participant("ledger", ledger).open()) {
            System.out.println("ready");
            List<Thread> threads = new ArrayList<>();
            for (int first = 0; first < THREADS; first++) {
                int from = first;
                threads.add(Thread.ofPlatform().start(() -> apply(hapax, from, operations)));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            System.out.println("done");
            Thread.currentThread().join();
        }
    }

    private static void apply(Hapax hapax, int from, int operations) {
        for (int n = from; n < operations; n += THREADS) {
            boolean done = false;
            while (!done) {
                try {
                    String id = Worker.key(n).id();
                    hapax.twoPhase(Worker.key(n)).with("ledger").run((tx, branches) -> {
                        Shop.effect(tx.connection(), id);
                        Shop.effect(branches.connection("ledger"), id);
                    });
                    done = true;
                } catch (RetryException e) {
                    System.out.println("again " + n);
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            }
        }
    }
}
