package dev.hapax.examples.proof;

import dev.hapax.testkit.catalog.Catalog;
import dev.hapax.testkit.proof.RealProcess;

/** A process that does a scenario's work and dies at a point of it; {@link CrashPointsCommand} starts it. */
final class ProofProcess {

    private ProofProcess() {}

    /**
     * Does so.
     *
     * @param args which scenario, and where it dies
     * @throws Exception if the scenario can't be run
     */
    public static void main(String[] args) throws Exception {
        ProofCommand.keepLogsQuiet();
        RealProcess.run(args, Catalog.scenarios());
    }
}
