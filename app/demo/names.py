"""The words of the demonstration, in several scripts, with what `like()` must not stumble on."""

from dataclasses import dataclass

PARTNERS = (
    ("Northwind Partners", ("Adler Logistik GmbH", "Café Zürich & Söhne", "Greenfield Schools",
                            "Harbour Clinic")),
    ("Невский ИТ-сервис", ("Мосты и Дороги", "Пекарня №7", "Балтика Фильм")),
    ("北野システム株式会社", ("さくら銀行", "東京メディカル", "大阪_物流センター")),
    ("شركة النور للتقنية", ("مستشفى الأمل", "مصنع الدلتا")),
    ("Cloud ☁ Nine", ("100% Organic Foods", "R&D_Lab", "Zoë’s 🌷 Garden")),
)  # fmt: skip
"""Partners and their customers; the first are the largest."""

UNITS = ("Headquarters", "Warehouse", "Branch office")

USERS = (
    "scheduler", "admin", "admin@northwind.example", "Анна Петрова", "佐藤 健", "مريم حسن",
    "Zoë O’Brien", "José Ñáñez", "olga_k", "night-shift 50%",
)  # fmt: skip

AGENTS = 24
CLUSTERS = 3

TAGS = ("nightly", "weekly", "critical", "compliance", "site:berlin", "日次", "retry", "manual")

MACHINES = (
    ("machine", "vm-{}"), ("machine", "srv-{:03}"), ("machine", "Сервер-{}"),
    ("machine", "サーバー {}"), ("machine", "حاسوب {}"),
    ("mailbox", "mail_{}@adler.example"), ("database", "SQL {} (prod)"),
    ("site", "Ολυμπία {}"), ("machine", "Laptop {} – 85% disk 💾"),
)  # fmt: skip


@dataclass(frozen=True)
class Work:
    """A kind of work: how often it comes, its policies, its steps and how long it takes."""

    type: str
    share: int
    queue: str
    minutes: float
    """The median."""
    policies: tuple[str, ...]
    steps: tuple[str, ...]
    """The first holds the others."""
    trouble: tuple[tuple[str, str], ...]
    """Codes and messages of what goes wrong."""


WORKS = (
    Work(
        "backup", 55, "default", 18,
        ("Daily backup of servers", "Ежедневное резервное копирование", "毎日のバックアップ",
         "نسخ احتياطي يومي", "Weekly backup, 100% of disks", "daily_backup (mailboxes) 📬"),
        ("backup", "snapshot", "copy", "verify"),
        (("storage.full", "The vault has no room left."),
         ("snapshot.failed", "No snapshot could be taken: VSS writer 'SqlServerWriter' timed out."),
         ("network.lost", "Соединение с хранилищем потеряно.")),
    ),
    Work(
        "scan", 25, "security", 9,
        ("Antimalware scan", "Проверка на угрозы", "マルウェアスキャン",
         "Weekly scan – off-hours 50%"),
        ("scan", "enumerate", "inspect"),
        (("scan.access_denied", "3 files could not be read."),
         ("scan.signature_old", "定義ファイルが古くなっています。")),
    ),
    Work(
        "update", 13, "maintenance", 12,
        ("Patch Tuesday", "Обновление Windows", "تحديثات الأمان", "update_all ✔"),
        ("update", "download", "install", "reboot"),
        (("update.reboot_pending", "A restart is pending."),
         ("update.rolled_back", "The update was rolled back: error 0x800f0922.")),
    ),
    Work(
        "deploy", 7, "maintenance", 4,
        ("🚀 Deploy agent to ring_1", "Развёртывание агента", "エージェント展開"),
        ("deploy", "transfer", "configure"),
        (("deploy.unreachable", "The machine did not answer on port 9876."),),
    ),
)  # fmt: skip
