# The coordinator: docker build -f docker/coordinator.Dockerfile -t kindling-coordinator .
FROM node:26.10.0-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY client/cli/bin client/cli/bin
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build
# The image brings Node: the packages that carry it for checkouts stay out.
RUN npm prune --omit=dev --ignore-scripts && rm -rf node_modules/node-linux-* e2e

FROM node:26.10.0-bookworm-slim
ENV NODE_ENV=production
# The folders exist, so that volumes which are mounted there belong to the user.
RUN mkdir /data /join && chown node:node /data /join
WORKDIR /app
COPY --from=build /app /app
USER node
EXPOSE 8080
VOLUME ["/data", "/join"]
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "docker/health.mjs", "http://127.0.0.1:8080/readyz"]
ENTRYPOINT ["node", "client/cli/kindling.ts"]
CMD ["start", "--host", "0.0.0.0", "--data-dir", "/data", "--join-token-file", "/join/token"]
