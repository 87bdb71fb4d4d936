package dev.hapax.testkit.proof;

import dev.hapax.internal.consume.SteppedConsumer;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** The life of one process that nobody looks after: it sends each operation a few times, lets consumers work for some rounds, and ends. Used by one thread. */
final class Life<S> {

    private static final int TRIES_MAX = 3;
    private static final int ROUNDS_MAX = 6;

    private final Scenario<S> scenario;
    private final Consumer<String> acknowledged;

    Life(Scenario<S> scenario, Consumer<String> acknowledged) {
        this.scenario = scenario;
        this.acknowledged = acknowledged;
    }

    void live(Node node, List<Operation> operations) throws Exception {
        S service = scenario.opener.open(node);
        try {
            for (Operation operation : operations) {
                deliver(node, service, operation);
            }
            List<SteppedConsumer> running = new ArrayList<>();
            scenario.consumers.forEach(builder -> running.add(SteppedConsumer.of(builder.apply(service))));
            for (int round = 0; round < ROUNDS_MAX && !running.isEmpty(); round++) {
                round(node, service, running);
            }
            running.forEach(SteppedConsumer::stop);
        } finally {
            TrialRunner.close(service);
        }
    }

    private void deliver(Node node, S service, Operation operation) {
        for (int tries = 1; tries <= TRIES_MAX; tries++) {
            try {
                scenario.sending.send(service, operation);
                node.checkAlive();
                acknowledged.accept(operation.id());
                return;
            } catch (Exception e) {
                // No answer: it is sent again, here or by who comes next.
                node.checkAlive();
            }
        }
    }

    private void round(Node node, S service, List<SteppedConsumer> running) throws Exception {
        try {
            Scenario.Background<S> background = scenario.background;
            if (background != null) {
                background.step(service);
            }
            for (SteppedConsumer consumer : running) {
                consumer.keepLeases();
                while (consumer.work() > 0) {
                    // Again, until it finds nothing.
                }
            }
        } catch (SQLException | RuntimeException e) {
            // As in production: the next round tries again.
            node.checkAlive();
        }
    }
}
