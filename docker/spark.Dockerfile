# Java, Python and Node for Kindling's programs on Spark (glibc 2.34). The programs themselves come with each job.
#   for EMR:         docker build -f docker/spark.Dockerfile --target emr -t kindling-spark .
#   with Spark:      docker build -f docker/spark.Dockerfile --target standalone -t kindling-spark-standalone .
# EMR 6 runs Java 8 unless it is told otherwise: add --build-arg JAVA=8 for it.
ARG JAVA=17
FROM public.ecr.aws/amazoncorretto/amazoncorretto:${JAVA}-al2023 AS emr
# The repository of an AL2023 release is fixed: the base image pins the versions.
# hadolint ignore=DL3041
RUN dnf install -y python3 python3-pip nodejs22 shadow-utils procps-ng \
  && dnf clean all
# EMR's NodeManager hands its own JAVA_HOME to containers.
RUN mkdir -p /etc/alternatives \
  && if [ ! -e /etc/alternatives/jre ]; then ln -s "$JAVA_HOME" /etc/alternatives/jre; fi
ENV PYSPARK_PYTHON=python3 PYSPARK_DRIVER_PYTHON=python3
RUN python3 -m pip install --no-cache-dir numpy==1.26.4
# YARN runs a container as the user who submitted, whatever stands here; elsewhere it is nobody who may do harm.
RUN useradd --uid 1000 --create-home kindling
USER kindling
WORKDIR /home/kindling

# Spark itself, for a cluster without YARN, and the command line to submit with.
FROM node:26.10.0-bookworm-slim AS app
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY client/cli/bin client/cli/bin
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build
RUN npm prune --omit=dev --ignore-scripts && rm -rf e2e

FROM emr AS standalone
ARG SPARK=3.5.9
USER root
RUN python3 -m pip install --no-cache-dir "pyspark==${SPARK}"
ENV PATH=/opt/kindling/node_modules/.bin:$PATH SPARK_NO_DAEMONIZE=1
COPY --from=app /app /opt/kindling
RUN mkdir /data && chown kindling:kindling /data
USER kindling
WORKDIR /data
VOLUME ["/data"]
CMD ["kindling", "--help"]
