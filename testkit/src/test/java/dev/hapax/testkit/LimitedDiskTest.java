package dev.hapax.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hapax.testkit.DiskKeeper.Way;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class LimitedDiskTest {

    private static final byte[] HALF_A_MEBIBYTE = new byte[1 << 19];

    @Test
    void a_full_one_takes_nothing_until_it_is_freed() throws IOException {
        try (LimitedDisk disk = LimitedDisk.open(2)) {
            Path first = Files.write(disk.directory().resolve("first"), HALF_A_MEBIBYTE);
            disk.fill();

            assertThatThrownBy(() -> Files.write(disk.directory().resolve("second"), HALF_A_MEBIBYTE))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("No space left");
            assertThat(Files.write(first, HALF_A_MEBIBYTE)).hasSize(HALF_A_MEBIBYTE.length);

            disk.free();
            assertThat(Files.write(disk.directory().resolve("second"), HALF_A_MEBIBYTE))
                    .hasSize(HALF_A_MEBIBYTE.length);
        }
    }

    @Test
    void nothing_is_left_of_a_closed_one() {
        LimitedDisk disk = LimitedDisk.open(1);
        Path directory = disk.directory();
        assertThat(directory).exists();

        disk.close();

        assertThat(directory).doesNotExist();
    }

    @Test
    void who_may_not_mount_one_is_told_what_it_takes() {
        Way forbidden = new Way("by nobody", List.of("sh", "-c", "echo not you; exit 1"), false);

        assertThatThrownBy(() -> LimitedDisk.open(1, forbidden))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("root")
                .hasMessageContaining("namespaces")
                .hasMessageEndingWith("by nobody failed: not you");
    }

    @Test
    void a_way_that_does_not_exist_is_refused_as_well() {
        Way missing = new Way("by nothing", List.of("no-such-program"), false);

        assertThatThrownBy(() -> LimitedDisk.open(1, missing)).hasMessageContaining("no-such-program");
    }
}
