# `make help` lists what there is.
.DEFAULT_GOAL := help
ARGS ?=
PYTEST = .venv/bin/python -m pytest
# Where it is set every process compiles all of Django and of ours anew, four for each `serve`: over half of its start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup setup-dev demo test test-fast test-affected test-slow test-field test-phone-engine test-trixie test-other-day explore test-kernel-bluetooth lint format bench messages docs lock apk test-apk wheel wheelhouse deb image appliance-image test-appliance-image ship test-ship

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-22s %s\n", $$1, $$2}'

setup: ## .venv with the newest Python >= 3.11 and the pinned packages
	@tools/setup.sh run

setup-dev: ## the same with the tools for tests
	@tools/setup.sh dev

demo: setup ## two people meet, one tests positive, the other is warned (ARGS="--exit --seed 7")
	@.venv/bin/bluezone demo $(ARGS)

test: setup-dev ## the test suite (ARGS is passed to pytest)
	@tools/test-packages.sh
	@$(PYTEST) -n 3 --dist worksteal -m "not slow" $(ARGS)

test-fast: setup-dev ## what holds without a browser, a served office, PostgreSQL: for between two edits
	@$(PYTEST) -q -n 2 --dist worksteal -m "not slow and not long and not browser and not serve and not postgres" $(ARGS)

test-affected: setup-dev ## of these the ones closest to what changed since SINCE (default: HEAD), for 20 s of a core
	@files=$$(.venv/bin/python tools/affected.py $(SINCE)); test -n "$$files" || { echo "nothing that tests know has changed"; exit 0; }; \
	$(PYTEST) -q -n 0 --cpu-seconds 18 -m "not slow and not long and not browser and not serve and not postgres" $$files $(ARGS)

test-slow: setup-dev ## the long runs: 20 demos, statistics, a million deliveries, kills, kernel Bluetooth
	@tools/test-packages.sh
	@BLUEZONE_TEST_EXAMPLES=new $(PYTEST) -m slow $(ARGS)

test-field: setup-dev ## the field's journeys: gates, doors, loudspeakers; days offline, power cuts, full disks, a stopwatch
	@$(PYTEST) -n 0 -v -s -m field --durations=0 --durations-min=5 $(ARGS)

test-phone-engine: setup-dev ## phone and protocol on what a phone has: libcrypto, the kernel as a library, no numpy (ARGS is passed to pytest)
	@$(PYTEST) -p tests.builders.phoneengine -n 2 --dist worksteal -m "not slow and not browser" tests/protocol tests/handset tests/face tests/radio/test_android.py --ignore tests/handset/test_phone_engine.py $(ARGS)

explore: setup-dev ## search by seeds for how the service breaks (SEED=1 RUNS=20 STEPS=60 ARGS=--keep-going)
	@.venv/bin/python -m tests.explore --seed $(or $(SEED),1) --runs $(or $(RUNS),20) --steps $(or $(STEPS),60) $(ARGS)

test-trixie: ## the test suite with the Python of Debian 13, in a chroot (as root; ARGS is passed on)
	@tools/trixie.sh ARGS='$(ARGS)'

test-other-day: setup-dev ## parts of .ci/run with the clock on other days, hours long (DAY="2028-02-29 10:00" PARTS="fast": one of them)
	@tools/other-day.sh $(if $(DAY),"$(DAY)" $(PARTS))

test-kernel-bluetooth: setup-dev ## the hci-socket adapter against a real Linux kernel in QEMU
	@tests/radio/kernel/run.sh

apk: setup-dev ## the Android package, build/apk/bluezone.apk (CITY=FILE: the city's; docs/android.md)
	@.venv/bin/python -m tools.apk $(if $(CITY),--city $(CITY))

test-apk: setup-dev apk ## check the Android package, and run its Java and Python on Android's classes in a JVM
	@BLUEZONE_TEST_APK=$(CURDIR)/build/apk/bluezone.apk $(PYTEST) -q -n 0 tests/android/package $(ARGS)

wheel: setup ## the wheel of this project, in build/dist
	@tools/ship/wheel.sh build/dist

wheelhouse: setup ## build/dist/wheelhouse: all that an installation by pip without a network needs
	@tools/ship/wheelhouse.sh build/dist/wheelhouse

deb: ## the packages for Debian 12 and 13, in build/dist (as root; SUITES="bookworm trixie")
	@tools/ship/deb.sh build/dist $(SUITES)

image: deb ## the container image as an OCI layout, in build/dist (as root; no daemon)
	@tools/ship/image.sh build/dist

appliance-image: ## the image of a box without a screen, in build/dist (as root; CITY_KEY=, UPDATE_KEYS=, ARCHITECTURE=; docs/appliances.md)
	@tools/ship/deb.sh build/dist trixie && tools/ship/appliance.sh build/dist

test-appliance-image: setup-dev ## boot that image under QEMU and connect it (ARGS is passed to pytest)
	@BLUEZONE_TEST_BOX=$(CURDIR)/build/dist $(PYTEST) -n 0 -s -m slow tests/ship/test_appliance.py $(ARGS)

ship: wheelhouse image ## everything that is shipped, in build/dist (as root)

test-ship: setup-dev ship ## install what is shipped in fresh Debians and run it there (as root; ARGS is passed to pytest)
	@BLUEZONE_TEST_SHIP=$(CURDIR)/build/dist $(PYTEST) -n 0 -m slow tests/ship $(ARGS)

lint: setup-dev ## ruff, mypy, the import contracts, declared dependencies and plain English
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/lint-imports --no-cache && .venv/bin/deptry --no-ansi src android/src && .venv/bin/python tools/plain_english.py

format: setup-dev ## let ruff mend what it can
	@.venv/bin/ruff check --fix . ; .venv/bin/ruff format .

bench: setup-dev ## every budget's bench with its ratio (about a quarter of an hour)
	@tools/test-packages.sh
	@for name in matching phone export upload verify retention air idle gate airings speakers sms pages front hostile bulk start publish-day plan yield; do .venv/bin/bluezone bench $$name || exit 1; done

messages: setup-dev ## extract, update and compile the message catalogues
	@tools/messages.sh

docs: setup-dev ## the pages of docs/ as a site in build/docs; a broken link fails
	@.venv/bin/python tools/architecture_picture.py --check
	@.venv/bin/sphinx-build -W --keep-going -q -b html docs build/docs

lock: setup ## rewrite the lock files from pyproject.toml
	@tools/lock.sh
