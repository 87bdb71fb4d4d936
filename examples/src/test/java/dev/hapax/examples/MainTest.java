package dev.hapax.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MainTest {
    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "demo --kills -1, --kills is -1; it must be 0 to 1000",
        "demo --kills many, 'many'",
        "demo --repeats 1.5, --repeats is 1.5; it must be 0 to 1",
        "demo --repeats NaN, --repeats is NaN; it must be 0 to 1",
        "demo --workers 0, --workers is 0; it must be 1 to 8",
        "demo --rate -5, --rate is -5; it must be 0 to 100000",
        "demo --orders no-such-file, there is no such file",
        "demo --report no-such-folder/report.json, there is no such folder",
        "demo --fast, --fast",
        "demo --broker rabbit, --broker is rabbit; it must be kafka",
        "demo --kafka nowhere, --kafka is nowhere; it must be HOST:PORT",
        "demo --kafka-properties no-such-file, --kafka-properties needs --kafka HOST:PORT",
        "demo --kafka a:1 --kafka-properties no-such-file, --kafka-properties no-such-file can",
        "demo --broker kafka --naive, --naive has no broker",
        "db, --data",
        "gameday --minutes 0.1, --minutes is 0.1; it must be 0.25 to 1440",
        "gameday --minutes soon, 'soon'",
        "gameday --rate 0, --rate is 0; it must be 1 to 10000",
        "gameday --repeats 2, --repeats is 2.0; it must be 0 to 1",
        "gameday --minutes 600 --rate 100, 'there must be no more than 1,000,000'",
        "'gameday --faults kill-shop,flood', --faults: there is no fault",
        "'gameday --faults kill-shop,', --faults list prints them",
        "'gameday --faults disk-full --data here', --faults disk-full: it needs a file system of its own",
        "gameday --report no-such-folder/day.html, there is no such folder",
    })
    void bad_options_are_refused_with_their_limits(String command, String problem) {
        CommandRun run = CommandRun.of(command.split(" "));

        assertThat(run.status()).isEqualTo(2);
        assertThat(run.err()).startsWith("hapax: ").contains(problem).contains("--help says more");
        assertThat(run.out()).isEmpty();
    }

    @Test
    void every_command_has_help() {
        for (String command : new String[] {"demo", "gameday", "db"}) {
            CommandRun run = CommandRun.of(command, "--help");

            assertThat(run.status()).isZero();
            assertThat(run.out()).startsWith("Usage: ./hapax " + command).contains("--data");
        }
        assertThat(CommandRun.of().out()).contains("demo").contains("db");
    }

    @Test
    void the_faults_of_a_game_day_are_listed_with_a_sentence_each() {
        CommandRun run = CommandRun.of("gameday", "--faults", "list");

        assertThat(run.status()).isZero();
        List<String> lines = run.out().lines().toList();
        assertThat(lines).hasSizeGreaterThanOrEqualTo(17).allMatch(line -> line.matches("[a-z-]+ +[A-Z].*[.]"));
        String help = CommandRun.of("gameday", "--help").out();
        assertThat(lines).allMatch(line -> help.contains(line.substring(0, line.indexOf(' '))));
    }

    @Test
    void a_broken_line_stops_the_demo_before_anything_starts(@TempDir Path folder) throws IOException {
        Path orders = folder.resolve("orders.csv");
        Files.writeString(
                orders,
                "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
                        + "1,A,x,1,12/1/10 8:26,2.55,1,UK\n1,A,x,one,12/1/10 8:26,2.55,1,UK\n");
        Path data = folder.resolve("data");

        CommandRun run = CommandRun.of("demo", "--orders", orders.toString(), "--data", data.toString());

        assertThat(run.status()).isEqualTo(2);
        assertThat(run.err()).contains("line 3: Quantity is 'one'");
        assertThat(run.out()).isEmpty();
        assertThat(data).doesNotExist();
    }

    @Test
    void a_folder_that_holds_something_else_is_left_alone(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("letter.txt"), "Dear Sir");

        CommandRun demo = CommandRun.of("demo", "--data", folder.toString());
        CommandRun db = CommandRun.of("db", "--data", folder.toString());

        assertThat(demo.status()).isEqualTo(3);
        assertThat(demo.err()).contains("holds something else");
        assertThat(db.status()).isEqualTo(3);
        assertThat(db.err()).contains("./hapax demo --data");
        assertThat(folder).isDirectoryNotContaining("glob:**postgresql*");
    }
}
