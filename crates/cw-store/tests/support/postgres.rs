//! A real PostgreSQL of the test's own: started on a free port in a temporary directory, stopped when dropped.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

pub struct Server {
    dir: TempDir,
    bin: PathBuf,
    port: u16,
}

impl Server {
    /// `None` only when the developer said so with `CANDLEWICK_TEST_PG=skip`; a machine without PostgreSQL is a failure.
    pub fn start() -> Option<Self> {
        if std::env::var_os("CANDLEWICK_TEST_PG").is_some_and(|value| value == "skip") {
            return None;
        }
        let bin = find_binaries().unwrap_or_else(|| {
            panic!(
                "no PostgreSQL server binaries (initdb, pg_ctl) in PATH or /usr/lib/postgresql/*/bin. \
                 Install the Debian package `postgresql` (`npm test` does), or set CANDLEWICK_TEST_PG=skip"
            )
        });
        let dir = tempfile::Builder::new().prefix("candlewick-pg").tempdir().unwrap();
        if is_root() {
            // PostgreSQL refuses to run as root.
            check(Command::new("chown").arg("postgres").arg(dir.path()).output());
        }
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let server = Self { dir, bin, port };
        let data = server.data();
        server.run("initdb", &["-D", &data, "-U", "candlewick", "-A", "trust", "-E", "UTF8", "--no-sync"]);
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' -c fsync=off \
             -c max_connections=50"
        );
        let log = server.dir.path().join("log").display().to_string();
        server.run("pg_ctl", &["-D", &data, "-w", "-l", &log, "-o", &options, "start"]);
        Some(server)
    }

    /// The address of a database on it; `postgres` always exists.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://candlewick@127.0.0.1:{}/{database}", self.port)
    }

    fn data(&self) -> String {
        self.dir.path().join("data").display().to_string()
    }

    fn command(&self, program: &str) -> Command {
        let path = self.bin.join(program);
        if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        }
    }

    fn run(&self, program: &str, args: &[&str]) {
        // The server inherits what its starter holds: an inherited pipe would never close.
        let log = std::fs::File::create(self.dir.path().join(format!("{program}.out"))).unwrap();
        let status = self
            .command(program)
            .args(args)
            .current_dir(self.dir.path())
            .stdin(std::process::Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .status()
            .unwrap();
        if !status.success() {
            let mut text = String::new();
            for file in [format!("{program}.out"), "log".to_owned()] {
                text += &std::fs::read_to_string(self.dir.path().join(file)).unwrap_or_default();
            }
            panic!("{program} failed: {status}\n{text}");
        }
    }

    /// Stops it as a power cut would, and starts it again.
    #[allow(dead_code, reason = "not every test binary kills its server")]
    pub fn stop(&self) {
        self.run("pg_ctl", &["-D", &self.data(), "-w", "-m", "immediate", "stop"]);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let stopped = self.command("pg_ctl").args(["-D", &self.data(), "-w", "-m", "immediate", "stop"]).output();
        if let Err(error) = stopped {
            eprintln!("PostgreSQL was not stopped: {error}");
        }
    }
}

fn find_binaries() -> Option<PathBuf> {
    let complete = |dir: &Path| dir.join("initdb").is_file() && dir.join("pg_ctl").is_file();
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = installed.map(|version| version.path().join("bin")).collect();
    versions.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    versions.into_iter().rev().chain(std::env::split_paths(&path)).find(|dir| complete(dir))
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}

fn check(output: std::io::Result<Output>) {
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
