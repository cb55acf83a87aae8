# EMR Serverless takes only images made from its own: the release must be the application's.
#   docker build -f docker/emr-serverless.Dockerfile --build-arg RELEASE=emr-7.9.0 -t kindling-serverless .
ARG RELEASE=emr-7.9.0
# AWS tells to take the newest build of a release.
# hadolint ignore=DL3007
FROM public.ecr.aws/emr-serverless/spark/${RELEASE}:latest
USER root
# The repository of an AL2023 release is fixed: the base image pins the versions.
# hadolint ignore=DL3041
RUN dnf install -y nodejs22 && dnf clean all
# EMR Serverless starts its containers as this user.
USER hadoop:hadoop
