package dev.hapax.server.command;

import dev.hapax.Hapax;
import dev.hapax.once.Adoption;
import dev.hapax.once.Adoption.Adopted;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Rebuilds markers from effects. */
@Command(
        name = "adopt",
        description = {
            "Marks operations whose effects are in the database without their markers, so that a repeat does nothing: after markers were lost, or when a service begins to use Hapax.",
            "",
            "The query's first column is the key's id; its second, if there is one, the key's time, which every retry repeats. Nothing is applied. It can be run again.",
            "Where callers may come back meanwhile, pause the scope first."
        },
        footer = {
            "",
            "Example:",
            "  ./hapax adopt payments.charge --producer checkout --query \"SELECT id, created_at FROM payment\" --preview"
        })
final class AdoptCommand extends DatabaseCommand {

    @Parameters(paramLabel = "SCOPE", description = "The scope of the keys.")
    private String scope = "";

    @Option(names = "--producer", required = true, paramLabel = "NAME", description = "The service that made the keys.")
    private String producer = "";

    @Option(names = "--query", required = true, paramLabel = "SQL", description = "A SELECT that finds the keys.")
    private String query = "";

    @Option(names = "--preview", description = "Count, and change nothing.")
    private boolean preview;

    @Override
    public Integer call() {
        try (Hapax hapax = database().open()) {
            Adoption adoption = hapax.adopt(scope).producer(producer);
            Adopted adopted = preview ? adoption.preview(query) : adoption.from(query);
            out().println(Words.count(adopted.rows(), "row") + ": " + adopted.marked()
                    + (preview ? " would be marked, " : " marked, ") + adopted.known()
                    + " had a marker or came twice, " + adopted.tooLate() + " too late, " + adopted.tooEarly()
                    + " too early");
            return adopted.tooEarly() > 0 ? Commands.PROBLEM : Commands.DONE;
        }
    }
}
