package dev.hapax.testkit.kafka;

import dev.hapax.testkit.ChildJvm;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** A broker in a JVM of its own, so that it can be killed and frozen. */
final class BrokerMain {
    static final String READY = "broker is ready";

    private BrokerMain() {}

    /** Directory, port, the controller's port, then settings as {@code name=value}. */
    public static void main(String[] arguments) {
        ChildJvm.endWithParent();
        Map<String, String> settings = new HashMap<>();
        for (int i = 3; i < arguments.length; i++) {
            int equals = arguments[i].indexOf('=');
            settings.put(arguments[i].substring(0, equals), arguments[i].substring(equals + 1));
        }
        Broker broker = Broker.start(
                Path.of(arguments[0]), Integer.parseInt(arguments[1]), Integer.parseInt(arguments[2]), settings);
        Runtime.getRuntime().addShutdownHook(new Thread(broker::stop, "hapax-testkit-broker-stop"));
        System.out.println(READY);
    }
}
